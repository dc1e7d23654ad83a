"""The files of a Mosquitto broker for Headwind's agents: who may connect, and which one topic each may read. Pure.

Every agent connects as the same user, whose password follows from the fleet's secret; that cannot be changed. But its client
id is its number, so each reads the topic of its own number and writes none.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Final

from .signing import mqtt_password

#: The port that is built into the agent.
PORT: Final = 31000
#: The user that every agent is.
AGENTS: Final = "hmdm"
#: Mosquitto's own count of rounds.
_ROUNDS: Final = 101
_CONF: Final = """\
# Made by `pupitre broker`. Agents connect without TLS: they know no other way. Nothing secret is sent to them.
per_listener_settings false
listener {port} {address}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
# A tablet that is off hears what it missed, once, when it comes back within two weeks.
persistence true
persistence_location {folder}/
autosave_interval 300
persistent_client_expiration 14d
max_queued_messages 20
max_inflight_messages 10
message_size_limit 8192
max_keepalive 1200
sys_interval 0
connection_messages false
log_dest stderr
"""
_ACL: Final = """\
user {publisher}
topic write #

# Everybody else reads the topic that is called as he is, and nothing more.
pattern read %c
"""


def files(
    secret: str,
    publisher: str,
    password: str,
    folder: str,
    salts: tuple[bytes, bytes],
    *,
    port: int = PORT,
    address: str = "",
) -> Mapping[str, str]:
    """{name: text} for `folder`.

    Args:
        secret: the fleet's.
        publisher: the user as whom the gateway publishes, of `PUPITRE_MQTT_URL`.
        password: the publisher's.
        folder: where the files will lie, absolute.
        salts: two of twelve random bytes.
        port: where agents connect; theirs is fixed.
        address: of the machine to listen on; "" for all.
    """
    users = {AGENTS: mqtt_password(secret), publisher: password}
    passwords = "".join(
        f"{user}:{_hashed(word, salt)}\n" for (user, word), salt in zip(users.items(), salts, strict=True)
    )
    return {
        "mosquitto.conf": _CONF.format(port=port, address=address, folder=folder),
        "passwords": passwords,
        "acl": _ACL.format(publisher=publisher),
    }


def is_topic(number: str) -> bool:
    """Whether a device of this number can be told anything by a broker: some signs mean something else in topics."""
    return bool(number) and not set(number) & set("+#/$") and len(number.encode()) <= 200


def _hashed(password: str, salt: bytes) -> str:
    """As mosquitto_passwd writes it: PBKDF2 with SHA-512."""
    found = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(found).decode()}"
