"""Objects are kept under a school's key, on a disk or in an S3."""

import io
from pathlib import Path

from pupitre.kernel.storage import Storage, _store


def test_bytes_come_back_as_they_were(tmp_path: Path) -> None:
    store = Storage(f"file://{tmp_path}/my%20objects")
    key = store.put(7, "document", b"a letter")
    assert key.startswith("7/document/")
    assert store.get(key) == b"a letter"
    assert (tmp_path / "my objects").is_dir()


def test_the_same_bytes_are_kept_once_per_school(tmp_path: Path) -> None:
    store = Storage(f"file://{tmp_path}")
    assert store.put(7, "photo", b"x") == store.put(7, "photo", b"x") != store.put(8, "photo", b"x")


def test_a_stream_is_kept_without_being_held(tmp_path: Path) -> None:
    store = Storage(f"file://{tmp_path}")
    data = b"0123456789" * 200_000
    keys = [store.put_stream(7, "upload", io.BytesIO(data)) for _ in range(2)]
    assert [store.get(key) for key in keys] == [data, data]
    assert keys[0] != keys[1]


def test_what_is_deleted_is_gone(tmp_path: Path) -> None:
    store = Storage(f"file://{tmp_path}")
    key = store.put(7, "photo", b"x")
    store.delete(key)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_s3s_address_carries_its_options() -> None:
    store = _store(
        "s3://bucket/pre/fix?region=eu-west-1&endpoint=https://s3.example&path_style=true&access_key_id=a&secret_access_key=b"
    )
    assert "bucket" in repr(store)
    assert "pre/fix" in repr(store)
