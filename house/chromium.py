"""The Chromium that the tests drive, and what drives it: found, or installed.

`python house/chromium.py` prints its path or says why not.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


class NoChromiumError(Exception):
    """There is no Chromium and none can be installed; the message says what was tried."""


def find() -> str | None:
    """The path of a Chromium that starts; None where there is none. $PUPITRE_CHROMIUM wins, and must then be right."""
    if chosen := os.environ.get("PUPITRE_CHROMIUM"):
        if not _starts(chosen):
            raise NoChromiumError(
                f"PUPITRE_CHROMIUM={chosen} does not start. Name a Chromium, or leave it out."
            )
        return chosen
    return next((path for path in _candidates() if _starts(path)), None)


def ensure() -> str:
    """The path of a Chromium, installed if need be. Raises NoChromiumError."""
    found = find()
    if found:
        return found
    tried = []
    for command in _installations():
        sys.stderr.write(f"Installing Chromium: {' '.join(command)}\n")
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_quiet())
        found = find()
        if found:
            return found
        tried.append(
            f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-600:] or 'it did not help'}"
        )
    raise NoChromiumError(
        "The tests need a Chromium and none could be had. Install one, or name it in PUPITRE_CHROMIUM. Tried:\n"
        + "\n".join(tried)
    )


def ensure_driver() -> None:
    """Let Playwright's driver start: its Node asks for libatomic, which a bare Debian has not.

    Raises NoChromiumError with what the driver says.
    """
    wrong = _driver_says()
    if wrong and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-q"], capture_output=True, check=False, env=_quiet())
        command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "libatomic1", "libstdc++6"]
        subprocess.run(command, capture_output=True, check=False, env=_quiet())
        wrong = _driver_says()
    if wrong:
        raise NoChromiumError(
            f"Playwright's driver does not start: {wrong} Install what it misses (Debian: libatomic1)."
        )


def _driver_says() -> str:
    """What is wrong with the driver; nothing where it starts."""
    from playwright._impl._driver import compute_driver_executable, get_driver_env

    executable, script = compute_driver_executable()
    command = [executable, script, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=get_driver_env())
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()[-400:]


def _candidates() -> Iterator[str]:
    yield from (path for name in NAMES if (path := shutil.which(name)))
    yield from (path for path in MAC if Path(path).exists())
    # Playwright knows where its own download lies; asking it costs a second, so it comes last.
    ask = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    told = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=False
    ).stdout.strip()
    if told and Path(told).exists():
        yield told


def _installations() -> Iterator[list[str]]:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-q"], capture_output=True, check=False, env=_quiet())
        yield ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]
    elif os.geteuid() == 0 and shutil.which("apk"):
        yield ["apk", "add", "chromium"]
    elif os.geteuid() == 0 and shutil.which("dnf"):
        yield ["dnf", "install", "-y", "-q", "chromium"]
    yield [
        sys.executable,
        "-m",
        "playwright",
        "install",
        *(["--with-deps"] if os.geteuid() == 0 else []),
        "chromium",
    ]


def _quiet() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}


def _starts(path: str) -> bool:
    """Whether it says its version: Ubuntu's package of that name only says where to get another."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and "Chrom" in done.stdout


if __name__ == "__main__":
    try:
        ensure_driver()
        sys.stdout.write(f"{ensure()}\n")
    except NoChromiumError as error:
        sys.exit(str(error))
