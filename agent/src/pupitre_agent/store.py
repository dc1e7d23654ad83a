"""What the agent keeps on disk: who it is, the last state it was told, and what it has still to tell. Readable by it alone."""

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from .errors import NotEnrolled

_SECRET: Final = 0o600


def write_atomically(path: Path, content: bytes, mode: int = _SECRET) -> None:
    """The whole content or none of it, whenever the power goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(mode)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this device is, and whose word it takes."""

    server: str
    device: str
    server_key: str
    key: Ed25519PrivateKey
    check_in_seconds: int = 900
    #: A file of certificates to trust besides the system's, for a server of the house's own.
    trust: str = ""


@dataclass
class Memory:
    """What changes as the agent goes."""

    etag: str = ""
    #: The desired state as it was signed, or None before the first.
    state: dict[str, Any] | None = None
    #: When it was told.
    state_at: str = ""
    applied: str = ""
    problems: list[dict[str, str]] = field(default_factory=list)
    #: Those of applications and files, which are not looked at as often.
    software_problems: list[dict[str, str]] = field(default_factory=list)
    #: What the server has taken of each changing member of a check-in.
    told: dict[str, Any] = field(default_factory=dict)
    #: {"digest": ..., "packages": {...}} as the server has taken it.
    inventory: dict[str, Any] = field(default_factory=dict)
    installations: list[dict[str, Any]] = field(default_factory=list)
    #: By the command's number: {"not_after": ..., "result": {...} or None while it runs, "is_taken": bool}
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: By package: how often it failed, when it is tried again, what was said; what is held at its version.
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    #: When a lock ends by itself; empty for one that does not, or none.
    locked_until: str = ""
    last_contact: str = ""
    last_failure: str = ""
    #: "enrolled", "waiting", "retired" or "released".
    standing: str = "enrolled"


class Store:
    """The agent's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name == "posix":
            self.folder.chmod(0o700)

    def key(self) -> Ed25519PrivateKey:
        """This device's key, made the first time it is asked for: an enrolment that is tried again is the same one's."""
        path = self.folder / "key"
        if path.exists():
            return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        key = Ed25519PrivateKey.generate()
        write_atomically(path, key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
        return key

    def identity(self) -> Identity:
        """Raises NotEnrolled."""
        found = self.read("identity")
        if not found or not (self.folder / "key").exists():
            raise NotEnrolled
        return Identity(key=self.key(), **found)

    def keep_identity(self, identity: Identity) -> None:
        kept = {
            name: getattr(identity, name)
            for name in ("server", "device", "server_key", "check_in_seconds", "trust")
        }
        self.write("identity", kept)

    def forget_identity(self) -> None:
        """A device that comes back later comes as a new one."""
        for name in ("key", "identity.json"):
            (self.folder / name).unlink(missing_ok=True)

    def memory(self) -> Memory:
        found = self.read("memory")
        known = {name: value for name, value in found.items() if name in Memory.__dataclass_fields__}
        return Memory(**known)

    def keep(self, memory: Memory) -> None:
        self.write("memory", asdict(memory))

    def read(self, name: str) -> dict[str, Any]:
        """A document of the folder; empty where there is none, or it cannot be read: the server tells it again."""
        try:
            found = json.loads((self.folder / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, name: str, document: dict[str, Any]) -> None:
        content = json.dumps(document, ensure_ascii=False).encode()
        path = self.folder / f"{name}.json"
        with contextlib.suppress(OSError):
            if path.read_bytes() == content:
                return
        write_atomically(path, content)
