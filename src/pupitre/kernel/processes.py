"""Other processes of this machine: whether they live, what they are, and how to end with the one that started us."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_IS_LINUX = sys.platform == "linux"


def is_alive(pid: int) -> bool:
    """Whether this process runs. One that is dead and only not yet collected by its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not _state(pid).startswith("Z")


def command_of(pid: int) -> str:
    """The command line of a process; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "" if _IS_LINUX else _ps(pid, "command=")


def _state(pid: int) -> str:
    try:
        # The name of the program stands in brackets and may itself hold brackets and blanks.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].strip()
    except OSError:
        return "" if _IS_LINUX else _ps(pid, "stat=")


def _ps(pid: int, column: str) -> str:
    done = subprocess.run(["ps", "-o", column, "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def dies_with_parent(signum: int = signal.SIGKILL) -> Callable[[], None] | None:
    """A `preexec_fn` by which Linux signals the child when the thread that started it is gone; None elsewhere.

    The kernel forgets the wish when a process changes its user; Python runs the function after that.
    """
    if not _IS_LINUX:
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def wish() -> None:
        prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)
        if os.getppid() != parent:  # it was killed before we could wish
            os.kill(os.getpid(), signal.SIGKILL)

    return wish


def follow_parent(signum: int = signal.SIGKILL) -> None:
    """End when the parent of this process ends, even where it was killed without a word.

    For the main thread of a process whose parent started it from its own main thread.
    """
    if _IS_LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)
        return
    threading.Thread(target=_watch_parent, args=(os.getppid(), signum), name="parent", daemon=True).start()


def _watch_parent(parent: int, signum: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signum)
