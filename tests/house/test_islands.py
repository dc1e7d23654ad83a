"""The islands' types hold, and a mistake in one is found."""

import shutil
from pathlib import Path

import pytest

from house import islands


def test_the_islands_have_types_and_keep_them() -> None:
    said = islands.complaints()
    assert not said, said


@pytest.mark.parametrize(
    ("place", "text", "says"),
    [
        ("web/static/web/planted.js", "document.title.toFixed(2);\nexport {};\n", "planted.js(1,16)"),
        (
            "people/static/people/planted.js",
            "export function twice(number) { return 2 * number; }\n",
            "implicitly",
        ),
        ("web/static/web/service-worker.js", "document.title;\n", "'document'"),
    ],
)
def test_a_planted_mistake_is_found(place: str, text: str, says: str, tmp_path: Path) -> None:
    islands.complaints()  # TypeScript is there
    frontend = tmp_path / "frontend"
    shutil.copytree(islands.FRONTEND, frontend, ignore=shutil.ignore_patterns("node_modules"))
    (frontend / "node_modules").symlink_to(islands.FRONTEND / "node_modules")
    for path in ("web/static/web/service-worker.js", "web/static/web/shell.js", place):
        target = tmp_path / "src" / "pupitre" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text if path == place else "export {};\n", encoding="utf-8")
    assert says in islands.complaints(frontend)


def test_without_a_registry_nothing_is_said_to_be_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("package.json", "package-lock.json", ".npmrc", *islands.PROJECTS):
        shutil.copy(islands.FRONTEND / name, tmp_path)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retry_mintimeout", "10")
    with pytest.raises(islands.NotCheckedError, match="nothing was checked"):
        islands.complaints(tmp_path)
