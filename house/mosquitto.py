"""The Mosquitto broker that the tests start: found, or installed.

`python house/mosquitto.py` prints its path or says why not.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path


class NoMosquittoError(Exception):
    """There is no Mosquitto and none can be installed; the message says what was tried."""


def find() -> str | None:
    """The path of a Mosquitto; None where there is none."""
    found = shutil.which("mosquitto")
    usual = Path("/usr/sbin/mosquitto")  # not in everybody's path
    return found or (str(usual) if usual.exists() else None)


def ensure() -> str:
    """The path of a Mosquitto, installed if need be and the packages are Debian's. Raises NoMosquittoError."""
    if found := find():
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoMosquittoError("There is no Mosquitto. Install it (Debian: apt-get install mosquitto).")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-q"], capture_output=True, check=False, env=quiet)
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "mosquitto"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)
    if found := find():
        return found
    raise NoMosquittoError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-400:]}")


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{ensure()}\n")
    except NoMosquittoError as error:
        sys.exit(str(error))
