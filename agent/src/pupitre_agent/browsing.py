"""What browsers are told by policy, as each family words it; the systems differ only in where that is written."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from .engine import Settings
from .errors import CannotApply

#: The settings that browsers have a say in.
KEYS: Final = frozenset({"web", "proxy", "developer_mode", "add_accounts", "install_applications", "mode"})
_CHROMIUM_OFF: Final = 2


def hosts(web: Mapping[str, Any]) -> list[str]:
    """The hosts of a list, without scheme and path, lower case; a leading "*." says no more than the host does."""
    found = []
    for one in web.get("hosts") or []:
        host = urlsplit(one if "//" in one else f"//{one}").hostname
        if not host or any(sign in host for sign in ' "\\'):
            raise CannotApply(f"{one!r} is not the name of a host.")
        found.append(host.removeprefix("*."))
    return sorted(set(found))


def firefox(settings: Settings) -> dict[str, Any]:
    """The content of "policies" in Firefox's policies.json."""
    policies: dict[str, Any] = {}
    web = settings.get("web") or {}
    patterns = [pattern for host in hosts(web) for pattern in (f"*://{host}/*", f"*://*.{host}/*")]
    if web.get("mode") == "allow":
        policies["WebsiteFilter"] = {"Block": ["<all_urls>"], "Exceptions": patterns}
    elif web.get("mode") == "block":
        policies["WebsiteFilter"] = {"Block": patterns}
    if is_limited(settings):
        policies |= {
            "BlockAboutConfig": True,
            "DisablePrivateBrowsing": True,
            "DNSOverHTTPS": {"Enabled": False},
        }
    if settings.get("developer_mode") is False:
        policies |= {"DisableDeveloperTools": True, "BlockAboutConfig": True}
    if settings.get("install_applications") is False:
        policies["ExtensionSettings"] = {"*": {"installation_mode": "blocked"}}
    if settings.get("add_accounts") is False:
        policies["DisableFirefoxAccounts"] = True
    if (proxy := settings.get("proxy") or {}).get("host"):
        policies["Proxy"] = _firefox_proxy(proxy)
    return policies


def _firefox_proxy(proxy: Mapping[str, Any]) -> dict[str, Any]:
    without = proxy.get("except") or []
    return {
        "Mode": "manual",
        "Locked": True,
        "HTTPProxy": f"{proxy['host']}:{int(proxy['port'])}",
        "UseHTTPProxyForAllProtocols": True,
        "Passthrough": without if isinstance(without, str) else ", ".join(without),
    }


def chromium(settings: Settings) -> dict[str, Any]:
    """The policies of Chromium, Chrome, Edge and Brave, which are one family's."""
    policies: dict[str, Any] = {}
    web = settings.get("web") or {}
    if web.get("mode") == "allow":
        policies |= {"URLBlocklist": ["*"], "URLAllowlist": hosts(web)}
    elif web.get("mode") == "block":
        policies["URLBlocklist"] = hosts(web)
    if is_limited(settings):
        policies |= {
            "IncognitoModeAvailability": 1,
            "BrowserGuestModeEnabled": False,
            "DnsOverHttpsMode": "off",
        }
    if settings.get("developer_mode") is False:
        policies["DeveloperToolsAvailability"] = _CHROMIUM_OFF
    if settings.get("install_applications") is False:
        policies["ExtensionInstallBlocklist"] = ["*"]
    if settings.get("add_accounts") is False:
        policies |= {"BrowserSignin": 0, "BrowserAddPersonEnabled": False}
    if (proxy := settings.get("proxy") or {}).get("host"):
        without = proxy.get("except") or []
        policies |= {
            "ProxyMode": "fixed_servers",
            "ProxyServer": f"{proxy['host']}:{int(proxy['port'])}",
            "ProxyBypassList": without if isinstance(without, str) else ",".join(without),
        }
    return policies


def is_limited(settings: Settings) -> bool:
    """Whether ways round a list of sites must be shut, too."""
    return (settings.get("web") or {}).get("mode") in {"allow", "block"} or settings.get("mode") == "exam"
