"""The object store's port: bytes under a key, on a disk or in any S3 (obstore speaks both)."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

if TYPE_CHECKING:
    from obstore.store import ObjectStore


@lru_cache(maxsize=4)
def _store(url: str) -> "ObjectStore":
    from obstore.store import LocalStore, S3Store  # a slow import that only uploads and downloads need

    parts = urlsplit(url)
    if parts.scheme == "file":
        root = Path(unquote(parts.path))
        root.mkdir(parents=True, exist_ok=True)
        return LocalStore(root)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    is_plain = options.pop("allow_http", "") in _YES
    is_virtual = options.pop("path_style", "") not in _YES
    config = {**options, "virtual_hosted_style_request": is_virtual}
    return S3Store(
        parts.netloc,
        prefix=unquote(parts.path).strip("/") or None,
        config=config,  # type: ignore[arg-type]
        client_options={"allow_http": is_plain},
    )


_YES = frozenset({"1", "true", "yes", "on"})


def opened_store(url: str) -> "ObjectStore":
    """The store itself, for who reads a piece at a time (`obstore`'s asynchronous functions)."""
    return _store(url)


@dataclass(frozen=True, slots=True)
class Storage:
    """A place for objects. Keys are `<school id>/<kind>/<sha-256>`; the same bytes are kept once per school."""

    url: str

    def put(self, school: int, kind: str, data: bytes) -> str:
        """Keep the bytes durably and answer their key."""
        key = f"{school}/{kind}/{hashlib.sha256(data).hexdigest()}"
        _store(self.url).put(key, data)
        return key

    def put_stream(self, school: int, kind: str, stream: IO[bytes]) -> str:
        """Keep what the stream holds, a piece at a time, and answer its key, which is of no other object."""
        key = f"{school}/{kind}/{uuid4().hex}"
        _store(self.url).put(key, stream)
        return key

    def get(self, key: str) -> bytes:
        return bytes(_store(self.url).get(key).bytes())

    def delete(self, key: str) -> None:
        _store(self.url).delete(key)
