"""How a device with Headwind's agent comes in: the QR code that a new tablet reads, and who it turns out to be."""

import base64
import hmac
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from pupitre.kernel.tokens import ALPHABET

_EXTRA: Final = "android.app.extra.PROVISIONING_"
_COMPONENT: Final = "com.hmdm.launcher/com.hmdm.launcher.AdminReceiver"


@dataclass(frozen=True, slots=True)
class Network:
    """The Wi-Fi by which a new tablet reaches us for the first time. It stands in the QR code for whoever sees it."""

    ssid: str
    password: str = ""
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent's package as tablets fetch it; `sha256` in hexadecimal digits, of the file."""

    url: str
    sha256: str


def provisioning(
    *,
    server: str,
    code: str,
    agent: Agent,
    network: Network | None = None,
    number: str = "",
    uses_mobile_data: bool = False,
) -> dict[str, Any]:
    """What the QR code of an enrolment says, for `json.dumps`.

    The ticket's code travels as the name of a configuration, which the agent hands on once, with its first request, and
    then forgets. The tablet calls itself by its serial number, so that nobody types anything.

    Args:
        server: https://host[:port], without a path: with one, agents and we would sign different texts.
        code: of the enrolment ticket.
        agent: the package that the tablet fetches.
        network: by which it reaches us for the first time.
        uses_mobile_data: where it has a SIM card and no network.
        number: how the device shall call itself instead, where one QR code is made for one device.
    """
    address = urlsplit(server)
    extras: dict[str, Any] = {
        "com.hmdm.BASE_URL": f"{address.scheme}://{address.netloc}",
        "com.hmdm.SERVER_PROJECT": "",
        "com.hmdm.CONFIG": code,
        **({"com.hmdm.DEVICE_ID": number} if number else {"com.hmdm.DEVICE_ID_USE": "serial"}),
    }
    told: dict[str, Any] = {
        "android.app.extra.PROVISIONING_DEVICE_ADMIN_COMPONENT_NAME": _COMPONENT,
        _EXTRA + "DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION": agent.url,
        _EXTRA + "DEVICE_ADMIN_PACKAGE_CHECKSUM": base64.urlsafe_b64encode(
            bytes.fromhex(agent.sha256)
        ).decode(),
        _EXTRA + "LEAVE_ALL_SYSTEM_APPS_ENABLED": True,
        _EXTRA + "SKIP_ENCRYPTION": True,
    }
    if uses_mobile_data:
        told[_EXTRA + "USE_MOBILE_DATA"] = True
    return told | _network(network) | {_EXTRA + "ADMIN_EXTRAS_BUNDLE": extras}


def _network(network: Network | None) -> dict[str, Any]:
    if network is None:
        return {}
    told: dict[str, Any] = {_EXTRA + "WIFI_SSID": network.ssid}
    told[_EXTRA + "WIFI_SECURITY_TYPE"] = "WPA" if network.password else "NONE"
    if network.password:
        told[_EXTRA + "WIFI_PASSWORD"] = network.password
    if network.is_hidden:
        told[_EXTRA + "WIFI_HIDDEN"] = True
    return told


#: The purpose of its key (`kernel.signing.derived`).
PANEL: Final = "headwind panel"


def panel_code(key: bytes, number: str) -> str:
    """What opens the agent's panel on this one device, for its technician: nine characters, made of the installation's key.

    The agent's own default is known to everybody who searches for it.
    """
    found = hmac.digest(key, b"headwind panel " + number.encode("utf-8", "replace"), "sha256")
    letters = "".join(ALPHABET[octet % len(ALPHABET)] for octet in found[:9])
    return "-".join((letters[:3], letters[3:6], letters[6:]))
