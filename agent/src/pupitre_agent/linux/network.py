"""Wi-Fi, VPN, certificates and proxy."""

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from pupitre_agent import wireguard
from pupitre_agent.certificates import checked
from pupitre_agent.engine import File, Handler, Made, Part, Settings
from pupitre_agent.errors import CannotApply
from pupitre_agent.machine import Machine
from pupitre_agent.names import excepted, file_name

_CONNECTIONS: Final = "/etc/NetworkManager/system-connections"
_SECRET: Final = 0o600


def _identity(kind: str, name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"pupitre:{kind}:{name}"))


def _key_file(sections: Mapping[str, Mapping[str, str]]) -> bytes:
    """NetworkManager's format. A value of people's own stands between no lines but its own."""
    lines = []
    for name, values in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key}={_escaped(value)}" for key, value in values.items()]
        lines.append("")
    return "\n".join(lines).encode()


def _escaped(value: str) -> str:
    if any(ord(sign) < 32 for sign in value):
        raise CannotApply("A name or password with control characters cannot be written.")
    kept = value.replace("\\", "\\\\")
    return "\\s" + kept[1:] if kept.startswith(" ") else kept


# Wi-Fi

_KEY_MANAGEMENT: Final = {
    "wpa": "wpa-psk",
    "wpa2": "wpa-psk",
    "wpa-psk": "wpa-psk",
    "wpa3": "sae",
    "sae": "sae",
}


def _wifi(settings: Settings, machine: Machine) -> Part:
    part = Part(after=[("nmcli", "connection", "reload")])
    if not machine.has("nmcli"):
        raise CannotApply("nmcli: not found")
    for network in settings["wifi"]:
        try:
            part.resources.append(_network(network))
        except CannotApply as error:
            part.cannot("wifi", f"{network.get('ssid')}: {error}")
    return part


def _network(network: Mapping[str, Any]) -> File:
    ssid = str(network["ssid"])
    security = str(network.get("security") or "open").lower()
    sections: dict[str, dict[str, str]] = {
        "connection": {
            "id": f"Pupitre {ssid}",
            "uuid": _identity("wifi", ssid),
            "type": "wifi",
            "autoconnect-priority": "50",
        },
        "wifi": {"mode": "infrastructure", "ssid": _ssid(ssid)}
        | ({"hidden": "true"} if network.get("hidden") else {}),
    }
    if security not in {"open", "none"}:
        sections["wifi-security"] = _security(security, str(network.get("password") or ""))
    sections |= {"ipv4": {"method": "auto"}, "ipv6": {"method": "auto"}}
    return File(f"{_CONNECTIONS}/pupitre-{file_name(ssid)}.nmconnection", _key_file(sections), _SECRET)


def _ssid(ssid: str) -> str:
    """As numbers of bytes where it could be read as something else."""
    if re.fullmatch(r"[\w .-]+", ssid, re.ASCII) and ssid.strip() == ssid:
        return ssid
    return "".join(f"{byte};" for byte in ssid.encode())


def _security(security: str, password: str) -> dict[str, str]:
    management = _KEY_MANAGEMENT.get(security)
    if management is None:
        raise CannotApply(f"This agent does not know the security {security!r}.")
    if not 8 <= len(password) <= 64:
        raise CannotApply("The password must have 8 to 63 characters.")
    return {"key-mgmt": management, "psk": password}


# VPN

_VPN: Final = {
    "ikev2": ("org.freedesktop.NetworkManager.strongswan", "nm-strongswan-service.name"),
    "l2tp": ("org.freedesktop.NetworkManager.l2tp", "nm-l2tp-service.name"),
    "openvpn": ("org.freedesktop.NetworkManager.openvpn", "nm-openvpn-service.name"),
}


def _vpn(settings: Settings, machine: Machine) -> Part:
    vpn = settings["vpn"]
    kind = str(vpn.get("kind", "")).lower()
    if kind == "wireguard":
        return _wireguard(vpn, machine)
    if kind not in _VPN:
        raise CannotApply(f"This agent cannot set up a VPN of the kind {kind!r}.")
    service, plugin = _VPN[kind]
    if not any(
        machine.mode(f"{folder}/NetworkManager/VPN/{plugin}") is not None for folder in ("/usr/lib", "/etc")
    ):
        raise CannotApply(f"NetworkManager's part for {kind} is not installed.")
    data, secret = _vpn_data(kind, str(vpn["server"]), str(vpn.get("user", "")))
    sections = {
        "connection": {"id": "Pupitre VPN", "uuid": _identity("vpn", "vpn"), "type": "vpn"},
        "vpn": {"service-type": service, **data},
        "vpn-secrets": {secret: str(vpn.get("secret", ""))},
        "ipv4": {"method": "auto"},
        "ipv6": {"method": "auto"},
    }
    return Part(
        [File(f"{_CONNECTIONS}/pupitre-vpn.nmconnection", _key_file(sections), _SECRET)],
        [("nmcli", "connection", "reload")],
    )


def _wireguard(vpn: dict[str, Any], machine: Machine) -> Part:
    if not machine.has("wg-quick"):
        raise CannotApply("wg-quick: not found")
    unit = f"wg-quick@{wireguard.NAME}.service"
    content = wireguard.configuration(vpn).encode()
    put = (("systemctl", "enable", unit), ("systemctl", "restart", unit))
    return Part(
        [
            File(f"/etc/wireguard/{wireguard.NAME}.conf", content, _SECRET),
            Made(
                f"vpn {hashlib.sha256(content).hexdigest()[:16]}",
                put,
                (("systemctl", "disable", "--now", unit),),
            ),
        ]
    )


def _vpn_data(kind: str, server: str, user: str) -> tuple[dict[str, str], str]:
    """The plugin's own words for server and user, and what it calls the password."""
    if kind == "ikev2":
        return {
            "address": server,
            "user": user,
            "method": "eap",
            "virtual": "yes",
            "password-flags": "0",
        }, "password"
    if kind == "l2tp":
        return {"gateway": server, "user": user, "password-flags": "0"}, "password"
    return {
        "remote": server,
        "username": user,
        "connection-type": "password",
        "password-flags": "0",
    }, "password"


# Certificates

#: Where a family of systems keeps what it trusts besides, and what gathers it.
_STORES: Final = (
    ("/usr/local/share/ca-certificates/pupitre", "update-ca-certificates"),
    ("/etc/pki/ca-trust/source/anchors", "update-ca-trust"),
)


def certificate_path(name: str, machine: Machine) -> str:
    """Where a certificate of that name lies. Raises CannotApply where no tool gathers them."""
    for folder, tool in _STORES:
        if machine.has(tool):
            return f"{folder}/pupitre-{file_name(name)}.crt"
    raise CannotApply("update-ca-certificates: not found")


def _certificates(settings: Settings, machine: Machine) -> Part:
    tool = next((tool for _, tool in _STORES if machine.has(tool)), "update-ca-certificates")
    part = Part(after=[(tool,)])
    for one in settings["certificates"]:
        path = certificate_path(str(one["name"]), machine)
        try:
            part.resources.append(File(path, checked(str(one["pem"])).encode()))
        except CannotApply as error:
            part.cannot("certificates", f"{one['name']}: {error}")
    return part


# Proxy: for programs of the terminal and of the session, and for apt. The desktop's own is in `desktop`, the browsers' in `browsers`.


def _proxy(settings: Settings, machine: Machine) -> Part:
    proxy = settings["proxy"]
    if not proxy.get("host"):
        return Part()
    address = f"http://{proxy['host']}:{int(proxy['port'])}/"
    if re.search(r"[\s\"'$`\\;]", address):
        raise CannotApply("The proxy's name is not one.")
    without = ",".join(["localhost", "127.0.0.1", *excepted(proxy)])
    if re.search(r"[\s\"'$`\\;]", without):
        raise CannotApply("The names that go without the proxy are none.")
    values = {"http_proxy": address, "https_proxy": address, "no_proxy": without}
    values |= {name.upper(): value for name, value in values.items()}
    exported = "".join(f'export {name}="{value}"\n' for name, value in values.items())
    plain = "".join(f'{name}="{value}"\n' for name, value in values.items())
    return Part(
        [
            File("/etc/profile.d/pupitre-proxy.sh", exported.encode()),
            File("/etc/environment.d/60-pupitre-proxy.conf", plain.encode()),
            File("/etc/apt/apt.conf.d/60pupitre-proxy", f'Acquire::http::Proxy "{address}";\n'.encode()),
        ]
    )


HANDLERS: Final = (
    Handler("wifi", frozenset({"wifi"}), _wifi),
    Handler("vpn", frozenset({"vpn"}), _vpn),
    Handler("certificates", frozenset({"certificates"}), _certificates),
    Handler("proxy", frozenset({"proxy"}), _proxy),
)
