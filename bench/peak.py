"""A morning's peak: people come faster and faster, until it is too much, and then fewer again.

    python -m bench.peak [--minutes 3] [--highest 60] [--sign-ins 0.1]

Teachers (some of them sign in first) open their day, then a register, and save it; families open their page. Whether the
product keeps up or not, people come as planned: linearly more, up to `--highest` a second in the middle, then fewer. Printed
in twelve steps: what came, what was answered and how quickly, what was refused and how quickly, and the CPU of web process
and database. Below stands what one core carries, beside the empty view.
"""

import argparse
import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import quantiles
from typing import Any, Final
from urllib.parse import quote, urlsplit

from rich.console import Console
from rich.table import Table

from bench.measuring import Case, measure, raw
from bench.pages import SCHOOL, application
from bench.running import ROOT, Running, Session, cpu_of, running, wait_until_quiet

_STEPS: Final = 12
#: The demonstration's, with which `bench.pages` signs in afterwards.
_PASSWORD: Final = "demostracio"
_TEACHERS: Final = """
SELECT DISTINCT ON (a.id) a.id, a.username, r.lesson_id, r.held_on,
       ARRAY(SELECT pupil_id FROM attendance_mark k WHERE k.register_id = r.id ORDER BY pupil_id)
  FROM attendance_register r
  JOIN timetable_lessonteacher t ON t.lesson_id = r.lesson_id
  JOIN people_person p ON p.id = t.teacher_id JOIN people_account a ON a.id = p.account_id
 WHERE r.held_on BETWEEN current_date - 6 AND current_date - 1 AND a.is_active
 ORDER BY a.id, r.held_on DESC LIMIT 200
"""
_GUARDIANS: Final = """
SELECT DISTINCT a.id, a.username FROM people_guardianship g
  JOIN people_person p ON p.id = g.guardian_id JOIN people_account a ON a.id = p.account_id
 WHERE a.is_active AND a.activated_at IS NOT NULL ORDER BY a.id LIMIT 400
"""


@dataclass(frozen=True)
class Someone:
    """A person of the morning, with a session of yesterday."""

    username: str
    session: Session


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long the morning lasts")
    parser.add_argument("--highest", type=float, default=60.0, help="people a second at its height")
    parser.add_argument(
        "--sign-ins", type=float, default=0.1, help="the part of the teachers who sign in first"
    )
    parser.add_argument("--families", type=float, default=0.5, help="the part of the people who are families")
    asked = parser.parse_args()
    console = Console(width=150)
    with running(PUPITRE_TRUSTED_PROXIES="1") as found:
        wait_until_quiet(found)
        with application():
            journeys = _journeys(asked.sign_ins, asked.families)
        empty = measure(found, Case("empty view", lambda _: [raw("/health/live", None)]), 16, 3.0)
        seconds = asked.minutes * 60
        plan = [
            (0.0, 1.0),
            (seconds * 0.6, asked.highest),
            (seconds * 0.8, asked.highest),
            (seconds * 0.85, 2.0),
        ]
        told, spent = _run(found, {"plan": [*plan, (seconds, 2.0)], "journeys": journeys}, seconds)
        wait_until_quiet(found)
    _print(console, told, spent, seconds, empty.server)


# The people


def _journeys(sign_ins: float, families: float) -> list[dict[str, Any]]:
    from pupitre.tenancy.queries import access_school
    from pupitre.tenancy.scoping import scope

    with scope(access_school(SCHOOL).id):
        teachers, guardians = _rows(_TEACHERS), _rows(_GUARDIANS)
        _open([(row[2], row[3]) for row in teachers])
    _give_password([row[1] for row in teachers])
    known = {row[0]: _session(row[0]) for row in [*teachers, *guardians]}
    signed_in = [_teaching(row, known[row[0]]) for row in teachers]
    return [
        {"weight": (1 - families) * (1 - sign_ins), "people": signed_in},
        {"weight": (1 - families) * sign_ins, "people": [[*_signing_in(row[1])] for row in teachers]},
        {
            "weight": families,
            "people": [[_step("family", raw("/family", known[row[0]]))] for row in guardians],
        },
    ]


def _rows(statement: str) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def _open(registers: list[tuple[int, Any]]) -> None:
    """Teachers correct what is not closed."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE attendance_register SET closed_at = NULL WHERE lesson_id = %s AND held_on = %s", registers
        )


def _give_password(usernames: list[str]) -> None:
    """One real password for all who sign in: comparing it costs each of them as much as any."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password

    get_user_model().objects.filter(username__in=usernames).update(password=make_password(_PASSWORD))


def _session(account_id: int) -> Session:
    """A session as signing in leaves it."""
    from allauth.usersessions.models import UserSession
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.middleware.csrf import _get_new_csrf_string  # type: ignore[attr-defined]

    from pupitre.people.sessions import SessionStore

    account = get_user_model().objects.get(pk=account_id)
    store = SessionStore()
    store[SESSION_KEY] = str(account_id)
    store[BACKEND_SESSION_KEY] = "pupitre.people.sessions.AccountBackend"
    store[HASH_SESSION_KEY] = account.get_session_auth_hash()
    store.save()
    UserSession.objects.create(
        user=account, session_key=str(store.session_key), ip="127.0.0.1", user_agent="", data={}
    )
    token = _get_new_csrf_string()
    return Session({"sessionid": str(store.session_key), "csrftoken": token}, token)


def _step(name: str, request: bytes, *, saves: bool = False, form: str | None = None) -> dict[str, Any]:
    return {"name": name, "request": base64.b64encode(request).decode(), "saves": saves, "form": form}


def _teaching(row: Any, session: Session) -> list[dict[str, Any]]:
    _, _, lesson, held_on, pupils = row
    register = f"/s/{SCHOOL}/registers/{lesson}/{held_on}"
    now = datetime.now(UTC).isoformat()
    marks = [
        {"pupil": pupil, "code": "F" if at % 9 == 3 else "P", "recorded_at": now, "explicit": at % 9 == 3}
        for at, pupil in enumerate(pupils)
    ]
    body = json.dumps({"batch": "morning", "device": "a-phone-of-the-morning", "marks": marks})
    return [
        _step("day", raw(f"/s/{SCHOOL}/day", session)),
        _step("register", raw(register, session)),
        _step("save", raw(f"{register}/marks", session, body), saves=True),
    ]


def _signing_in(username: str) -> Iterator[dict[str, Any]]:
    form = f"login={quote(username)}&password={_PASSWORD}"
    head = "POST /account/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nReferer: http://127.0.0.1/\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    yield _step("sign-in page", raw("/account/login/", None))
    yield _step("sign-in", head.encode(), form=form)


# The run


def _run(
    found: Running, task: dict[str, Any], seconds: float
) -> tuple[dict[str, Any], list[tuple[float, ...]]]:
    """What the people saw, and the CPU seconds of web and database at the end of each step."""
    where = urlsplit(found.address)
    whole = {**task, "host": where.hostname, "port": where.port, "timeout": 60.0}
    people = subprocess.Popen(
        [sys.executable, "-m", "bench.morning"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert people.stdin is not None
    people.stdin.write(json.dumps(whole))
    people.stdin.close()
    people.stdin = None
    spent, began = [_spent(found)], time.perf_counter()
    for step in range(_STEPS):
        time.sleep(max(0.0, began + (step + 1) * seconds / _STEPS - time.perf_counter()))
        spent.append(_spent(found))
    out, _ = people.communicate(timeout=120)
    told: dict[str, Any] = json.loads(out)
    return told, spent


def _spent(found: Running) -> tuple[float, float]:
    return sum(map(cpu_of, found.of("web"))), sum(map(cpu_of, found.of("database")))


def _print(
    console: Console, told: dict[str, Any], spent: list[tuple[float, ...]], seconds: float, empty: float
) -> None:
    table = Table(title="A morning: one web process, PostgreSQL beside it, and the people on the same cores")
    for heading in ("from s", "people/s", "answered/s", "p50 ms", "p95 ms", "refused/s", "p95 ms ", "web cores",
                    "database cores", "per core"):  # fmt: skip
        table.add_column(heading, justify="right")
    length, best = seconds / _STEPS, 0.0
    for step in range(_STEPS):
        first, last = step * length, (step + 1) * length
        came = sum(first <= at < last for at in told["came"])
        answers = [one for one in told["answers"] if first <= one[0] + one[3] / 1000 < last]
        good = [one[3] for one in answers if one[2] < 400]
        refused = [one[3] for one in answers if one[2] == 503]
        web, database = (
            (after - before) / length for before, after in zip(spent[step], spent[step + 1], strict=True)
        )
        per_core = len(good) / length / (web + database) if web + database > 0.3 else 0.0
        best = max(best, len(good) / length / web if web > 0.5 else 0.0)
        table.add_row(
            f"{first:.0f}", f"{came / length:.1f}", f"{len(good) / length:.1f}", *_middle(good),
            f"{len(refused) / length:.1f}", _middle(refused)[1], f"{web:.2f}", f"{database:.2f}",
            f"{per_core:.0f}" if per_core else "",
        )  # fmt: skip
    console.print(table)
    counts = {key: told[key] for key in ("ended", "went away", "broke", "saved", "unsaved")}
    console.print(f"People: {len(told['came'])} came, {counts}; causes {told['causes'] or 'none'}.")
    console.print(
        f"One core of the web process answers {best:.0f} of these requests a second: "
        f"{1000 / best if best else 0:.1f} ms each, {1000 / best / empty if best else 0:.1f} x the empty view."
    )


def _middle(values: list[float]) -> tuple[str, str]:
    if len(values) < 2:
        return "", ""
    cuts = quantiles(values, n=20)
    return f"{cuts[9]:.0f}", f"{cuts[18]:.0f}"


if __name__ == "__main__":
    main()
