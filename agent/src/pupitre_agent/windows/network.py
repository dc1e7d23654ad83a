"""Wi-Fi by netsh, certificates by certutil, VPN by PowerShell, the proxy of services and of people."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from pupitre_agent import wireguard
from pupitre_agent.certificates import checked, thumbprint
from pupitre_agent.engine import File, Handler, Made, Part, Settings, Value
from pupitre_agent.errors import CannotApply
from pupitre_agent.machine import Machine
from pupitre_agent.names import excepted, file_name
from pupitre_agent.powershell import literal, powershell

FOLDER: Final = r"C:\ProgramData\Pupitre\Agent"
_PROFILE: Final = """\
<?xml version="1.0"?>
<WLANProfile xmlns="http://www.microsoft.com/networking/WLAN/profile/v1">
  <name>{name}</name>
  <SSIDConfig><SSID><hex>{hex}</hex><name>{name}</name></SSID><nonBroadcast>{hidden}</nonBroadcast></SSIDConfig>
  <connectionType>ESS</connectionType>
  <connectionMode>auto</connectionMode>
  <MSM><security>
    <authEncryption><authentication>{authentication}</authentication><encryption>{encryption}</encryption><useOneX>false</useOneX></authEncryption>{key}
  </security></MSM>
</WLANProfile>
"""
_KEY: Final = "<sharedKey><keyType>passPhrase</keyType><protected>false</protected><keyMaterial>{password}</keyMaterial></sharedKey>"
_AUTHENTICATION: Final = {
    "open": "open", "none": "open", "wpa": "WPAPSK", "wpa2": "WPA2PSK", "wpa-psk": "WPA2PSK", "wpa3": "WPA3SAE", "sae": "WPA3SAE",
}  # fmt: skip


def _wifi(settings: Settings, machine: Machine) -> Part:
    part = Part()
    for network in settings.get("wifi") or []:
        try:
            part.resources += _network(network)
        except CannotApply as error:
            part.cannot("wifi", f"{network.get('ssid')}: {error}")
    if settings.get("change_wifi") is False:
        part.resources.append(_only([str(one["ssid"]) for one in settings.get("wifi") or []]))
    return part


def _network(network: Mapping[str, Any]) -> tuple[File, Made]:
    ssid, security = str(network["ssid"]), str(network.get("security") or "open").lower()
    if security not in _AUTHENTICATION:
        raise CannotApply(f"This agent does not know the security {security!r}.")
    authentication, password = _AUTHENTICATION[security], str(network.get("password") or "")
    if authentication != "open" and not 8 <= len(password) <= 64:
        raise CannotApply("The password must have 8 to 63 characters.")
    content = _PROFILE.format(
        name=escape(ssid),
        hex=ssid.encode().hex().upper(),
        hidden="true" if network.get("hidden") else "false",
        authentication=authentication,
        encryption="none" if authentication == "open" else "AES",
        key="" if authentication == "open" else _KEY.format(password=escape(password)),
    )
    path = rf"{FOLDER}\wifi\{file_name(ssid)}-{file_name(content)[-8:]}.xml"
    add = ("netsh", "wlan", "add", "profile", f"filename={path}", "user=all")
    drop = ("netsh", "wlan", "delete", "profile", f"name={ssid}")
    return File(path, content.encode(), 0o600), Made(f"wifi {ssid}", (add,), (drop,))


def _only(ssids: list[str]) -> Made:
    """No network is seen but those of the school."""
    start = ("netsh", "wlan")
    denied = ("permission=denyall", "networktype=infrastructure")
    allow = [
        (*start, "add", "filter", "permission=allow", f"ssid={one}", "networktype=infrastructure")
        for one in ssids
    ]
    forget = [(*start, "delete", *one[3:]) for one in allow]
    return Made(
        "wifi filter",
        (*allow, (*start, "add", "filter", *denied)),
        ((*start, "delete", "filter", *denied), *forget),
    )


def _certificates(settings: Settings, machine: Machine) -> Part:
    part = Part()
    for one in settings["certificates"]:
        try:
            pem, name = checked(str(one["pem"])), thumbprint(str(one["pem"]))
        except CannotApply as error:
            part.cannot("certificates", f"{one['name']}: {error}")
            continue
        path = rf"{FOLDER}\certificates\{name}.crt"
        add, drop = ("certutil", "-addstore", "-f", "Root", path), ("certutil", "-delstore", "Root", name)
        part.resources += [File(path, pem.encode()), Made(f"certificate {name}", (add,), (drop,))]
    return part


_TUNNELS: Final = {"ikev2": "Ikev2", "l2tp": "L2tp", "sstp": "Sstp"}


def _vpn(settings: Settings, machine: Machine) -> Part:
    vpn = settings["vpn"]
    kind = str(vpn.get("kind", "")).lower()
    if kind == "wireguard":
        return _wireguard(vpn, machine)
    if kind not in _TUNNELS:
        raise CannotApply(f"This agent cannot set up a VPN of the kind {kind!r}.")
    words = [
        "Add-VpnConnection -Name 'Pupitre' -AllUserConnection -Force -ServerAddress",
        literal(str(vpn["server"])),
        f"-TunnelType {_TUNNELS[kind]}",
    ]
    if kind == "l2tp" and vpn.get("secret"):
        words.append(f"-L2tpPsk {literal(str(vpn['secret']))}")
    remove = powershell("Remove-VpnConnection -Name 'Pupitre' -AllUserConnection -Force")
    return Part([Made("vpn", (powershell(" ".join(words)),), (remove,))])


def _wireguard(vpn: dict[str, Any], machine: Machine) -> Part:
    if not machine.has("wireguard"):
        raise CannotApply("wireguard: not found")
    path = rf"{FOLDER}\{wireguard.NAME}.conf"
    content = wireguard.configuration(vpn).encode()
    put = ("wireguard", "/installtunnelservice", path)
    drop = ("wireguard", "/uninstalltunnelservice", wireguard.NAME)
    return Part(
        [File(path, content, 0o600), Made(f"vpn {hashlib.sha256(content).hexdigest()[:16]}", (put,), (drop,))]
    )


_INTERNET: Final = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings"


def _proxy(settings: Settings, machine: Machine) -> Part:
    proxy = settings["proxy"] or {}
    if not proxy.get("host"):
        return Part()
    address, without = f"{proxy['host']}:{int(proxy['port'])}", ";".join(["<local>", *excepted(proxy)])
    put = ("netsh", "winhttp", "set", "proxy", f"proxy-server={address}", f"bypass-list={without}")
    return Part(
        [
            Value(
                r"HKLM\SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings",
                "ProxySettingsPerUser",
                0,
            ),
            Value(_INTERNET, "ProxyEnable", 1),
            Value(_INTERNET, "ProxyServer", address),
            Value(_INTERNET, "ProxyOverride", without),
            Made("proxy", (put,), (("netsh", "winhttp", "reset", "proxy"),)),
        ]
    )


HANDLERS: Final = (
    Handler("wifi", frozenset({"wifi", "change_wifi"}), _wifi),
    Handler("certificates", frozenset({"certificates"}), _certificates),
    Handler("vpn", frozenset({"vpn"}), _vpn),
    Handler("proxy", frozenset({"proxy"}), _proxy),
)
