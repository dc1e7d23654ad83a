"""The command `pupitre-agent`."""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from . import VERSION, health, words
from .agent import FOLDER, Agent
from .backoff import Backoff
from .client import Client, Network
from .clock import Clock, MovedSource, Source, SystemSource
from .errors import AgentError, AskedToWait, Declined, Retired
from .explaining import PUBLIC, explain
from .loop import Loop
from .machine import LINUX, WINDOWS, Machine
from .machine.local import this_machine
from .signing import public_text
from .store import Identity, Memory, Store

#: A root that is not this computer's, its system, and a file that moves the clock: for tests and pictures of computers.
_ROOT, _SYSTEM, _CLOCK = "PUPITRE_AGENT_ROOT", "PUPITRE_AGENT_SYSTEM", "PUPITRE_AGENT_CLOCK"
_TRIES: Final = 5
_UNIT: Final = "pupitre-agent.service"
_UNITS: Final = ("/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system")
_ENDED: Final = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 not done and why was said, 3 this device was taken out of use."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.act(options))
    except Retired as error:
        print(error or "This device was taken out of use.", file=sys.stderr)
        return _ENDED
    except AgentError as error:
        print(error, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"This needs the rights of an administrator ({error.filename}).", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pupitre-agent", description="Keeps this computer as its school wants it."
    )
    parser.add_argument("--version", action="version", version=VERSION)
    acts = parser.add_subparsers(required=True, metavar="COMMAND")
    enrolling = _act(acts, "enrol", _enrol, "let this computer in, by a code of the school")
    enrolling.add_argument("--server", required=True, help="https://...")
    enrolling.add_argument("--code", required=True)
    enrolling.add_argument("--trust", default="", help="a file of certificates to trust besides the system's")
    _act(acts, "run", _run, "the service: stay, ask, apply")
    _act(acts, "once", _once, "ask and apply once")
    telling = _act(acts, "status", _status, "what the agent knows and last did")
    telling.add_argument("--json", action="store_true")
    explaining = _act(acts, "explain", _explain, "what is blocked now, by whom, until when")
    explaining.add_argument("--language", default="", choices=["", *words.LANGUAGES])
    _act(acts, "release", _release, "give everything free that the agent manages, and forget this device")
    return parser


def _act(
    acts: Any, name: str, act: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = acts.add_parser(name, help=text)
    parser.set_defaults(act=act)
    return parser


# What all need


def _machine() -> Machine:
    return this_machine(os.environ.get(_ROOT, "/"), os.environ.get(_SYSTEM, ""))


def _store(machine: Machine) -> Store:
    return Store(machine.real(FOLDER[machine.system]))


def _source(machine: Machine) -> Source:
    """A clock that can be moved is only that of a foreign root: on a computer in use nobody sets it by a variable."""
    moved = os.environ.get(_CLOCK)
    if machine.is_foreign and moved:
        return MovedSource(Path(moved), lambda: health.boot_name(machine))
    return SystemSource(lambda: health.boot_name(machine))


def _agent(machine: Machine) -> Agent:
    store = _store(machine)
    identity = store.identity()
    clock = Clock(_source(machine), store.read("clock") or None)
    return Agent(machine, store, clock, Client(Network(identity.server, identity.trust), clock))


# Commands


def _enrol(options: argparse.Namespace) -> int:
    machine = _machine()
    store = _store(machine)
    store.prepare()
    if store.read("identity"):
        raise AgentError("This computer is enrolled already. To begin anew: pupitre-agent release")
    clock = Clock(_source(machine))
    client = Client(Network(options.server, options.trust), clock)
    identity = Identity(options.server.rstrip("/"), "", "", store.key(), trust=options.trust)
    facts = {
        "code": options.code.strip(),
        "key": public_text(identity.key),
        "platform": WINDOWS if machine.system == WINDOWS else LINUX,
        "hostname": health.host_name(machine)[:200],
        "os_version": health.system_name(machine)[:200],
        "agent_version": VERSION,
        **health.identity(machine),
    }
    told = _patiently(lambda: client.enrol(identity, facts).told)
    store.keep_identity(
        Identity(
            identity.server, str(told["device"]), str(told["server_key"]), identity.key,
            int(told.get("check_in_seconds") or 900), options.trust,
        )
    )  # fmt: skip
    store.keep(Memory(standing=str(told.get("standing") or "enrolled")))
    if kept := clock.memory():
        store.write("clock", kept)
    print(f"{told['device']}: {told.get('standing')}")
    if any(machine.mode(f"{folder}/{_UNIT}") is not None for folder in _UNITS):
        machine.run("systemctl", "start", "--no-block", _UNIT)
    return 0


def _patiently(ask: Callable[[], Any]) -> Any:
    """A whole class enrols in the same minute: the server says when to come again."""
    backoff = Backoff()
    for _ in range(_TRIES - 1):
        try:
            return ask()
        except AskedToWait as error:
            pause = error.seconds + random.uniform(0, error.seconds)  # noqa: S311 - spreads load
            print(f"Many computers enrol now; trying again in {pause:.0f} s.", file=sys.stderr)
            time.sleep(pause)
        except Declined:
            raise
        except AgentError as error:
            pause = backoff.next()
            print(f"{error} Trying again in {pause:.0f} s.", file=sys.stderr)
            time.sleep(pause)
    return ask()


def _run(options: argparse.Namespace) -> int:
    agent = _agent(_machine())
    stopped = threading.Event()
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: stopped.set())
    Loop(agent, stopped).run()
    return 0


def _once(options: argparse.Namespace) -> int:
    agent = _agent(_machine())
    try:
        return Loop(agent, threading.Event()).once()
    finally:
        agent.close()


def _status(options: argparse.Namespace) -> int:
    machine = _machine()
    store = _store(machine)
    memory = store.memory()
    found = store.read("identity")
    told = {
        "agent": VERSION,
        "device": found.get("device", ""),
        "server": found.get("server", ""),
        "standing": memory.standing
        if found or memory.standing in {"retired", "released"}
        else "not enrolled",
        "version": str((memory.state or {}).get("version", "")),
        "applied": memory.applied,
        "last_contact": memory.last_contact,
        "last_failure": memory.last_failure,
        "problems": memory.problems,
    }
    if options.json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return 0
    for name, value in told.items():
        if name != "problems":
            print(f"{name:13} {value or '-'}")
    for problem in memory.problems:
        print(f"{'problem':13} {problem['key']}: {problem['reason']}")
    return 0


def _explain(options: argparse.Namespace) -> int:
    machine = _machine()
    said = words.Words(options.language) if options.language else words.of_surroundings()
    content = machine.read(PUBLIC[machine.system])
    if content is None:
        print(said("This computer is not managed by a school."))
        return 0
    # Whoever asks may not read the agent's own folder; the wall's clock is good enough to be told by.
    now = datetime.fromtimestamp(_source(machine).wall(), UTC)
    for line in explain(json.loads(content), now, said):
        print(line)
    return 0


def _release(options: argparse.Namespace) -> int:
    agent = _agent(_machine())
    problems = agent.give_free("released")
    agent.close()
    for problem in problems:
        print(f"{problem.key}: {problem.reason}", file=sys.stderr)
    print("Everything was given free.")
    return 1 if problems else 0
