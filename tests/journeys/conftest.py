"""The running product, and a real browser on it.

`product` is granian on a free loopback port with a database, assets and a data folder of its own; the cast lives in it,
committed, around the present (the product's clock is the real one). `browser` is Chromium; `sign_in(page, member)` goes
through the sign-in form, `visit(member)` opens a fresh context that is signed in already.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from django.test.utils import override_settings
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from house import chromium
from pupitre.courses import actions as courses
from pupitre.kernel import clock
from pupitre.kernel.scope import Scope, sentence
from pupitre.people import actions as people
from pupitre.people.rules import Role
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from pupitre.timetable.models import CalendarRule
from tests.cast import PASSWORD, Cast, Member, Moment, build_cast
from tests.database import ROOT, migrated_copy, point_at

# Playwright's loop runs in this thread; without this Django would refuse its connection to every test that follows.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
STARTS_WITHIN = 40.0


def present() -> Moment:
    """Now, in a zone where it is about noon, with a first lesson that began ten minutes ago.

    At any hour the bells then lie within one day.
    """
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    east = (12 - now.hour + 12) % 24 - 12
    zone = f"Etc/GMT{-east:+d}" if east else "Etc/GMT"
    begins = clock.local(now, zone).replace(tzinfo=None) - timedelta(minutes=10)
    lengths = [("1", 55, False), ("2", 55, False), ("Break", 30, True), ("3", 55, False), ("4", 55, False)]
    bell: list[tuple[str, clock_time, clock_time, bool]] = []
    for name, minutes, is_break in lengths:
        ends = begins + timedelta(minutes=minutes)
        bell.append((name, begins.time(), ends.time(), is_break))
        begins = ends
    return Moment(now, tuple(bell), zone)


@dataclass
class Product:
    """The product as it runs for the browser tests."""

    address: str
    cast: Cast
    #: Pupils of the cast's class beyond the three with parts, so that a register has thirty rows.
    crowd: list[Any]
    database: str

    def url(self, path: str) -> str:
        return self.address + path

    def rows(self, statement: str, *values: Any, school: int | None = None) -> list[tuple[Any, ...]]:
        """What the product's database holds, read as the application within the cast's school."""
        with psycopg.connect(self.database) as connection:
            connection.pgconn.exec_(b"BEGIN; " + sentence(Scope(school or self.cast.school.id)))
            return connection.execute(statement, values).fetchall()  # type: ignore[arg-type, unused-ignore]

    def execute(self, statement: str, *values: Any) -> None:
        """Change the product's database by hand, to begin a test afresh."""
        with psycopg.connect(self.database) as connection:
            connection.pgconn.exec_(b"BEGIN; " + sentence(Scope(self.cast.school.id)))
            connection.execute(statement, values)  # type: ignore[arg-type, unused-ignore]

    @contextmanager
    def django(self) -> Iterator[None]:
        """Django's own connection leads to the product's database for a while, to arrange through actions."""
        connection = connections["default"]
        kept = dict(connection.settings_dict)
        point_at(self.database)
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict.update(kept)


@pytest.fixture(scope="session")
def product(django_db_blocker: Any) -> Iterator[Product]:
    """Started once for all browser tests of this process."""
    folder = Path(tempfile.mkdtemp(prefix="pupitre-journeys-"))
    with migrated_copy(f"journeys_{os.getpid()}") as (application, _owner):
        port = _free_port()
        environment = _environment(folder, port, application)
        _run([sys.executable, "-m", "pupitre.project.prepare", "contents"], environment)
        found = Product(f"http://127.0.0.1:{port}", None, [], application)  # type: ignore[arg-type]
        with (
            django_db_blocker.unblock(),
            found.django(),
            override_settings(PASSWORD_HASHERS=["pupitre.people.hashing.Argon2"]),
        ):
            found.cast, found.crowd = _fill(present())
        with _served(environment, found.address, folder):
            yield found
    shutil.rmtree(folder, ignore_errors=True)


def _fill(moment: Moment) -> tuple[Cast, list[Any]]:
    tenancy.forget_schools()
    cast = build_cast(moment)
    crowd = []
    with scope(cast.school.id):
        # The tests are run at week-ends, too.
        CalendarRule.objects.create(school_id=cast.school.id, weekdays=0b1111111)
        for number in range(27):
            child = people.register_person(
                cast.office,
                sourced_id=f"crowd-{number}",
                given_name=f"Nil{number}",
                family_name=f"Zafra {chr(65 + number % 26)}{number}",
                now=moment.now,
            )
            people.grant_role(cast.office, child, Role.PUPIL)
            courses.enrol(cast.office, cast.homeroom, child)
            crowd.append(child)
    tenancy.forget_schools()
    return cast, crowd


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _environment(folder: Path, port: int, database: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PUPITRE_", "DJANGO_"))}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "pupitre.project.settings",
        "PUPITRE_DATABASE_URL": database,
        "PUPITRE_DATA_DIR": str(folder),
        "PUPITRE_HOST": "127.0.0.1",
        "PUPITRE_PORT": str(port),
        "PUPITRE_BASE_URL": f"http://127.0.0.1:{port}",
        "PUPITRE_SECRET_KEY": settings.SECRET_KEY,
        "PUPITRE_DEFAULT_LANGUAGE": "en",
        "PUPITRE_DEMO": "false",
        "PUPITRE_PRIVATE_ADDRESSES": "true",  # what it asks in the tests runs on this machine
        "PYTHONPATH": str(ROOT / "src"),
    }


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")


@contextmanager
def _served(environment: dict[str, str], address: str, folder: Path) -> Iterator[None]:
    log = folder / "web.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "pupitre.project.web"], env=environment, stdout=output, stderr=output
        )
        try:
            _wait_for(f"{address}/health/ready", server, log)
            yield
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait_for(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(f"the product does not answer at {url}:\n{log.read_text()[-4000:]}")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = chromium.find()
    if found is None:
        pytest.fail("the browser tests need a Chromium: `make test` finds or installs one")
    return found


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    found = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
    yield found
    found.close()


@pytest.fixture
def visit(browser: Browser, product: Product) -> Iterator[Callable[..., Page]]:
    """`visit(member, path, **context)` is a page of a new browser context in which the member has signed in.

    A phone unless the context's options say otherwise. Errors of the page's scripts fail the test.
    """
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(member: Member | None = None, path: str = "", **options: Any) -> Page:
        context = browser.new_context(base_url=product.address, **(options or PHONE))
        context.set_default_timeout(10_000)
        opened.append(context)
        if member is not None:
            context.add_cookies([session_cookie(product, member)])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        if path:
            page.goto(path)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert not errors, errors


def session_cookie(product: Product, member: Member) -> Any:
    """A session in the product's database, as the sign-in form would have made it."""
    facts = {
        SESSION_KEY: str(member.account.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: member.account.get_session_auth_hash(),
    }
    key = os.urandom(16).hex()
    with psycopg.connect(product.database) as connection:
        connection.execute(
            "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (%s, %s, now() + interval '1 day')",
            [key, SessionStore().encode(facts)],
        )
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": key,
        "url": product.address,
        "httpOnly": True,
        "sameSite": "Lax",
    }


def sign_in(page: Page, member: Member, password: str = PASSWORD) -> None:
    """Through the form, as a person does."""
    page.goto("/account/login/")
    page.locator("input[name=login]").fill(member.account.username)
    page.locator("input[name=password]").fill(password)
    page.locator("form:has(input[name=password]) button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/account/login" not in url)


def sign_out(page: Page) -> None:
    """Through the account's menu."""
    page.locator("button[popovertarget=account]").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_load_state()
