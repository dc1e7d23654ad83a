"""The object store's port: bytes under a key, on a disk or in any S3 (obstore speaks both)."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obstore.store import ObjectStore


@lru_cache(maxsize=4)
def _store(url: str) -> "ObjectStore":
    from obstore.store import LocalStore, from_url  # a slow import that only uploads and downloads need

    if url.startswith("file://"):
        root = Path(url.removeprefix("file://"))
        root.mkdir(parents=True, exist_ok=True)
        return LocalStore(root)
    return from_url(url)


@dataclass(frozen=True, slots=True)
class Storage:
    """A place for objects. Keys are `<school id>/<kind>/<sha-256>`; the same bytes are kept once per school."""

    url: str

    def put(self, school: int, kind: str, data: bytes) -> str:
        """Keep the bytes durably and answer their key."""
        key = f"{school}/{kind}/{hashlib.sha256(data).hexdigest()}"
        _store(self.url).put(key, data)
        return key

    def get(self, key: str) -> bytes:
        return bytes(_store(self.url).get(key).bytes())

    def delete(self, key: str) -> None:
        _store(self.url).delete(key)
