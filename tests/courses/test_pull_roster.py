"""Pulling another system's roster: our own service running live, systems that misbehave, and the page."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, connections
from django.test.utils import CaptureQueriesContext

from pupitre.connections import actions as connecting
from pupitre.connections.rules import Scope
from pupitre.connections.rules.granting import client_id
from pupitre.courses.actions import exports, fetching, keeping, pulling, rosters
from pupitre.courses.jobs import pull_roster, sweep_nightly
from pupitre.courses.models import Class, Enrolment, RosterExport, RosterImport, RosterSource
from pupitre.courses.queries import pulling as queries
from pupitre.courses.rules.events import PullNeedsOffice
from pupitre.courses.rules.pulling import (
    ClientMissing,
    NotAnAddress,
    Outcome,
    Target,
    UnfitShare,
    is_small_enough,
    service_of,
)
from pupitre.courses.rules.roster import Kind as RowKind
from pupitre.courses.rules.roster import Roster
from pupitre.kernel import clock, events
from pupitre.kernel.errors import Denied
from pupitre.messaging.models import Notification
from pupitre.messaging.rules.kinds import Kind
from pupitre.people.models import Person
from pupitre.people.rules import Actor, system_actor
from pupitre.tenancy import actions as founding
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.conftest import Visitor
from tests.courses.importing import imported, office_of
from tests.courses.test_rostering_service import EVERY, school_files
from tests.jobs import run_jobs


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine may be asked, without TLS."""
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, private_addresses=True))


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def running() -> Iterator[str]:
    """Our own product behind a real socket, on the test's own connection: its data are not committed."""
    shared, now = connections["default"], clock.now()
    shared.inc_thread_sharing()
    for signal in (request_started, request_finished):  # in the middle of the test's transaction
        signal.disconnect(close_old_connections)
    server = make_server("127.0.0.1", 0, WSGIHandler(), handler_class=_Silent)

    def serve() -> None:
        connections["default"] = shared
        with clock.frozen(now):
            server.serve_forever()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        shared.dec_thread_sharing()
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


@pytest.fixture
def live(private: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["*"])
    with running() as address:
        yield address


def school_named(cast: Cast, slug: str, sourced_id: str) -> Actor:
    school = founding.found_school(
        cast.authority, slug=slug, name=slug, country="ES", locale="es", time_zone="Europe/Madrid",
        sourced_id=sourced_id,
    )  # fmt: skip
    return system_actor(tenancy.facts_of(school))


def entered(actor: Actor, base: str, client: str = "1.1", secret: str = "x", **more: Any) -> None:
    facts = {"is_nightly": True, "share": 10, **more}
    with scope(actor.place.id):
        pulling.enter_source(
            actor, base_url=base, token_url=f"{base}/oauth/token", client_id=client, secret=secret, **facts
        )


@pytest.fixture
def provider(cast: Cast) -> Actor:
    """A school whose roster another one pulls."""
    actor = school_named(cast, "origin", "s1")
    with scope(actor.place.id):
        imported(actor, school_files())
    return actor


def let_in(actor: Actor, *scopes: Scope) -> tuple[str, str]:
    with scope(actor.place.id):
        row, secret = connecting.open_connection(actor, name="Pull", scopes=scopes, now=clock.now())
    return client_id(actor.place.id, row.pk), secret


def source_of(actor: Actor) -> queries.SourceFacts:
    with scope(actor.place.id):
        found = queries.find_source(actor)
    assert found is not None
    return found


def pulled(actor: Actor) -> queries.SourceFacts:
    """A pull by the job, and the import if it starts one by itself."""
    with scope(actor.place.id):
        pulling.start_pull(actor, now=clock.now())
    run_jobs()
    return source_of(actor)


def applied(actor: Actor, import_id: int | None) -> None:
    """Somebody looked at it and said yes."""
    assert import_id is not None
    with scope(actor.place.id):
        rosters.start_import(actor, import_id, now=clock.now())
    run_jobs()
    with scope(actor.place.id):
        assert RosterImport.objects.get(pk=import_id).state == RosterImport.APPLIED


def everything(actor: Actor) -> dict[RowKind, list[Any]]:
    """What the export of a school says, without order."""
    with scope(actor.place.id):
        roster: Roster = exports.roster_to_export(actor, now=clock.now())
    return {kind: sorted(roster.rows(kind), key=repr) for kind in RowKind if kind is not RowKind.ORGS}


@pytest.fixture
def twin(cast: Cast, provider: Actor, live: str) -> Actor:
    """An empty school of the same code, that pulls the provider's roster."""
    actor = school_named(cast, "twin", "s1")
    entered(actor, live, *let_in(provider, *EVERY))
    return actor


def test_an_empty_school_pulls_the_same_roster_as_the_export_holds(twin: Actor, provider: Actor) -> None:
    first = pulled(twin)
    assert first.outcome is Outcome.WAITS, first
    with scope(twin.place.id):
        assert Person.objects.count() == 0
    applied(twin, first.import_id)
    assert everything(twin) == everything(provider)
    again = pulled(twin)
    assert (again.outcome, again.import_id) == (Outcome.NOTHING, None)
    with scope(twin.place.id):
        assert RosterImport.objects.count() == 1


def test_the_casts_school_is_pulled_as_it_is_exported(cast: Cast, live: str) -> None:
    twin = school_named(cast, "twin", "oak")
    entered(twin, live, *let_in(cast.office, *EVERY))
    applied(twin, pulled(twin).import_id)
    assert everything(twin) == everything(cast.office)


def test_little_changes_are_imported_by_themselves_and_many_wait(
    twin: Actor, provider: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[PullNeedsOffice] = []
    events.subscribe(PullNeedsOffice, told.append)
    applied(twin, pulled(twin).import_id)
    with scope(provider.place.id):
        imported(provider, school_files(41))
    assert pulled(twin).outcome is Outcome.APPLIED
    with scope(twin.place.id):
        assert Person.objects.filter(sourced_id="q40", ended_on=None).exists()
        assert Enrolment.objects.filter(person__sourced_id="q40").exists()
    with scope(provider.place.id):
        imported(provider, school_files(10))
    facts = pulled(twin)
    events.unsubscribe(PullNeedsOffice, told.append)
    assert facts.outcome is Outcome.WAITS
    assert [event.import_id for event in told][-1] == facts.import_id
    with scope(twin.place.id):
        assert Person.objects.filter(sourced_id="q39", ended_on=None).exists()
    applied(twin, facts.import_id)
    with scope(twin.place.id):
        assert not Person.objects.filter(sourced_id="q39", ended_on=None).exists()


def test_what_the_school_changed_by_hand_is_kept_as_in_a_file_import(twin: Actor, provider: Actor) -> None:
    applied(twin, pulled(twin).import_id)
    with scope(twin.place.id):
        Class.objects.filter(sourced_id="c1").update(title="Ours")
    with scope(provider.place.id):
        imported(provider, {**school_files(41)})
    assert pulled(twin).outcome is Outcome.APPLIED
    with scope(twin.place.id):
        assert Class.objects.get(sourced_id="c1").title == "Ours"


def test_without_the_right_to_birth_data_they_are_left_alone(cast: Cast, provider: Actor, live: str) -> None:
    twin = school_named(cast, "twin", "s1")
    entered(twin, live, *let_in(provider, Scope.ONEROSTER_CORE))
    applied(twin, pulled(twin).import_id)
    with scope(twin.place.id):
        pupil = Person.objects.get(sourced_id="p1")
        assert (pupil.given_name, pupil.born_on) == ("Aina", None)


def test_a_wrong_secret_and_a_missing_right_are_told_apart(cast: Cast, provider: Actor, live: str) -> None:
    twin = school_named(cast, "twin", "s1")
    name, secret = let_in(provider, Scope.PEOPLE_READ)
    entered(twin, live, name, secret)
    assert pulled(twin).outcome is Outcome.NO_RIGHTS
    entered(twin, live, name, "pupitre_1_wrong")
    assert pulled(twin).outcome is Outcome.WRONG_SECRET


def test_private_addresses_are_not_asked(cast: Cast) -> None:
    actor = office_of(cast)
    with pytest.raises(NotAnAddress):
        entered(actor, "http://127.0.0.1:9")
    for address in ("https://127.0.0.1", "https://localhost", "https://[::1]", "https://10.0.0.1"):
        entered(actor, address)
        assert pulled(actor).outcome is Outcome.FORBIDDEN_ADDRESS
    with scope(actor.place.id), pytest.raises(NotAnAddress):
        pulling.enter_source(actor, base_url="file:///etc/passwd", token_url="https://x.example", client_id="a",
                             secret="b", is_nightly=False, share=10)  # fmt: skip


# -- systems that misbehave -------------------------------------------------------------------------------------------

Reply = tuple[int, dict[str, str], bytes]
Behaviour = Callable[[str, int], Reply | None]


def reply(payload: object, **headers: str) -> Reply:
    return (
        200,
        {name.replace("_", "-"): value for name, value in headers.items()},
        json.dumps(payload).encode(),
    )


@contextmanager
def misbehaving(behave: Behaviour) -> Iterator[tuple[str, list[str]]]:
    """A server that answers tokens, and collections by `behave(path, how often asked)`; what it leaves out is empty."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer(reply({"access_token": "t", "scope": "roster.readonly"}))

        def do_GET(self) -> None:
            asked.append(self.path)
            name = self.path.partition("?")[0].rpartition("/")[2]
            usual = reply({name: []}, X_Total_Count="0")
            self._answer(behave(self.path, len(asked)) or usual)

        def _answer(self, answer: Reply) -> None:
            if "Content-Length" in self.headers:
                self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, body = answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def org(number: int) -> dict[str, Any]:
    return {"sourcedId": f"o{number}", "name": "x", "type": "school", "status": "active"}


def always(answer: Reply) -> Behaviour:
    return lambda path, times: answer if "/orgs?" in path else None


BAD: dict[str, tuple[Behaviour, Outcome]] = {
    "html": (always((200, {"Content-Type": "text/html"}, b"<h1>Sign in</h1>")), Outcome.NOT_ONEROSTER),
    "another list": (always(reply({"things": []})), Outcome.NOT_ONEROSTER),
    "a list of numbers": (always(reply({"orgs": [1, 2]})), Outcome.NOT_ONEROSTER),
    "no identifier": (always(reply({"orgs": [{"name": "x"}]})), Outcome.NOT_ONEROSTER),
    "deep": (always((200, {}, b'{"orgs":' + b"[" * 100_000)), Outcome.NOT_ONEROSTER),
    "errors for ever": (always((500, {}, b"")), Outcome.STATUS),
    "gone": (always((404, {}, b"")), Outcome.STATUS),
    "a redirect": (always((302, {"Location": "http://127.0.0.1:1/"}, b"")), Outcome.STATUS),
    "no right": (always((403, {}, b"{}")), Outcome.NO_RIGHTS),
    "the same page for ever": (always(reply({"orgs": [org(1)]}, X_Total_Count="99")), Outcome.INCOMPLETE),
    "one thing twice": (always(reply({"orgs": [org(1), org(1)]}, X_Total_Count="2")), Outcome.INCOMPLETE),
    "fewer than told": (
        lambda path, times: (
            reply({"orgs": [org(times)] if times < 4 else []}, X_Total_Count="9")
            if "/orgs?" in path
            else None
        ),
        Outcome.INCOMPLETE,
    ),
    "more than told": (
        always(reply({"orgs": [org(1), org(2), org(3)]}, X_Total_Count="2")),
        Outcome.INCOMPLETE,
    ),
    "half a body": (always((200, {"Content-Length": "50"}, b'{"orgs":[')), Outcome.NOT_ONEROSTER),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_system_that_misbehaves_changes_nothing(cast: Cast, private: None, kind: str) -> None:
    behave, outcome = BAD[kind]
    actor = office_of(cast)
    waits: list[float] = []
    with misbehaving(behave) as (address, asked):
        entered(actor, address)
        pulling.pull(actor.place, now=clock.now(), pause=waits.append)
        assert source_of(actor).outcome is outcome, source_of(actor)
        assert len(asked) < 20
    assert sum(waits) < 120
    with scope(actor.place.id):
        assert RosterImport.objects.count() == 0


def test_what_is_too_large_is_not_read_to_its_end(
    cast: Cast, private: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_MOST_ANSWER", 1000)
    actor = office_of(cast)
    with misbehaving(always(reply({"orgs": [org(n) for n in range(1000)]}))) as (address, _):
        entered(actor, address)
        pulling.pull(actor.place, now=clock.now())
    assert source_of(actor).outcome is Outcome.TOO_LARGE


def test_an_endless_stream_of_pages_ends(cast: Cast, private: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_MOST_PAGES", 5)
    actor = office_of(cast)

    def more(path: str, times: int) -> Reply | None:
        return (
            reply({"orgs": [org(times)]}, Link='<https://x.example>; rel="next"')
            if "/orgs?" in path
            else None
        )

    with misbehaving(more) as (address, asked):
        entered(actor, address)
        pulling.pull(actor.place, now=clock.now())
        assert len(asked) == 5
    assert source_of(actor).outcome is Outcome.INCOMPLETE


def test_a_busy_system_is_asked_again_after_the_time_it_names(cast: Cast, private: None) -> None:
    actor, waits = office_of(cast), list[float]()

    def busy(path: str, times: int) -> Reply | None:
        return (429, {"Retry-After": "17"}, b"") if times == 1 else None

    with misbehaving(busy) as (address, asked):
        entered(actor, address)
        pulling.pull(actor.place, now=clock.now(), pause=waits.append)
        assert len(asked) == 7
    assert waits == [17.0]
    assert source_of(actor).outcome is Outcome.WAITS


def test_pages_follow_links_where_no_total_is_told_and_smaller_pages_than_asked_for(private: None) -> None:
    def pages(path: str, times: int) -> Reply | None:
        if "/orgs?" not in path:
            return None
        offset = int(path.rpartition("offset=")[2])
        more = {"Link": '<https://elsewhere.example/?offset=9>; rel="next"'} if offset < 4 else {"Link": ""}
        return reply({"orgs": [org(offset), org(offset + 1)]}, **more)

    with misbehaving(pages) as (address, _):
        target = Target(address, f"{address}/token", "a", "b")
        found = fetching.Fetching(target, allow_private=True).collections()
    assert [one["sourcedId"] for one in found["orgs"]] == ["o0", "o1", "o2", "o3", "o4", "o5"]
    assert "demographics" not in found


def test_strange_values_do_not_break_the_import(cast: Cast, private: None) -> None:
    actor = office_of(cast)
    strange = {
        "sourcedId": "u1", "givenName": 7, "familyName": None, "username": ["x"], "roles": [None, {"role": 3}, "x"],
        "agents": "nobody", "grades": [{}, None, "07"], "metadata": [], "status": "active", "enabledUser": True,
        "email": "a\0b,\"c\"\r\n=cmd|' /C calc'!A0",
    }  # fmt: skip

    def behave(path: str, times: int) -> Reply | None:
        return reply({"users": [strange]}, X_Total_Count="1") if "/users?" in path else None

    with misbehaving(behave) as (address, _):
        entered(actor, address)
        pulling.pull(actor.place, now=clock.now())
    assert source_of(actor).outcome in (Outcome.ERRORS, Outcome.WAITS)
    with scope(actor.place.id):
        assert Person.objects.filter(sourced_id="u1").count() == 0


def test_nobody_is_listening(cast: Cast, private: None) -> None:
    actor, waits = office_of(cast), list[float]()
    with misbehaving(lambda path, times: None) as (address, _):
        pass
    entered(actor, address)
    pulling.pull(actor.place, now=clock.now(), pause=waits.append)
    assert source_of(actor).outcome is Outcome.UNREACHABLE
    assert waits == [2.0, 8.0, 30.0]


def test_the_office_is_told_where_to_look_and_of_a_failure_once(cast: Cast, private: None) -> None:
    def told() -> list[tuple[int, int]]:
        with scope(cast.school.id):
            return list(Notification.objects.values_list("kind", "person_id").order_by("id"))

    actor = cast.office
    office = {cast.head.person.pk, cast.secretary.person.pk}
    with misbehaving(always((403, {}, b"{}"))) as (address, _):
        entered(actor, address)
        for _night in range(2):
            pulling.pull(actor.place, now=clock.now())
    assert {person for _, person in told()} == office
    assert [kind for kind, _ in told()] == [Kind.ROSTER_FAILED] * 2
    with misbehaving(lambda path, times: None) as (address, _):
        entered(actor, address)
        pulling.pull(actor.place, now=clock.now())
    assert [kind for kind, _ in told()[2:]] == [Kind.ROSTER_WAITS] * 2


# -- rules, schedule, page --------------------------------------------------------------------------------------------


def counts(**more: int) -> dict[str, int]:
    return {"new": 0, "changed": 0, "ended": 0, "back": 0, "conflicts": 0, "same": 0, **more}


def test_how_much_may_change_by_itself() -> None:
    assert is_small_enough({"users": counts(new=900, same=100)}, 0)
    assert is_small_enough({"users": counts(ended=10, same=90)}, 10)
    assert not is_small_enough({"users": counts(ended=11, same=89)}, 10)
    assert not is_small_enough({"users": counts(same=90), "classes": counts(ended=20, same=5)}, 10)
    assert is_small_enough({"academicSessions": counts(changed=3)}, 10)
    assert not is_small_enough({"classes": counts(changed=4)}, 10)


def test_addresses_are_completed() -> None:
    whole = "https://x.example/ims/oneroster/rostering/v1p2"
    assert {
        service_of(one)
        for one in (whole, whole + "/", "https://x.example", "https://x.example/ims/oneroster")
    } == {whole}
    assert service_of("https://x.example/or") == "https://x.example/or"


def test_pulls_are_due_once_a_night_by_the_schools_clock(cast: Cast) -> None:
    actor = office_of(cast)
    entered(actor, "https://sis.example")
    midnight = clock.now().replace(hour=3, minute=30)  # 00:30 in Santiago
    with scope(actor.place.id):
        assert not pulling.is_pull_due(actor.place, now=midnight)
        assert pulling.is_pull_due(actor.place, now=midnight + timedelta(hours=5))
        RosterSource.objects.update(pulled_at=midnight + timedelta(hours=5))
        assert not pulling.is_pull_due(actor.place, now=midnight + timedelta(hours=9))
        assert pulling.is_pull_due(actor.place, now=midnight + timedelta(hours=29))
        RosterSource.objects.update(is_nightly=False)
        assert not pulling.is_pull_due(actor.place, now=midnight + timedelta(hours=29))


def test_the_hourly_sweep_pulls_and_keeps_what_is_due(cast: Cast) -> None:
    actor = office_of(cast)
    entered(actor, "https://127.0.0.1")
    with scope(actor.place.id):
        keeping.plan_exports(actor, is_on=True, hour=3, kept=2)
    with clock.frozen(clock.now().replace(hour=12)):
        sweep_nightly.func()
    done = run_jobs()
    assert sorted(name.rpartition(".")[2] for name in done) == ["keep_export", "pull_roster"]
    assert source_of(actor).outcome is Outcome.FORBIDDEN_ADDRESS
    with clock.frozen(clock.now().replace(hour=13)):
        sweep_nightly.func()
    assert run_jobs() == []


def test_only_so_many_exports_are_kept(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        keeping.plan_exports(cast.office, is_on=True, hour=3, kept=2)
        for day in range(3):
            keeping.keep_export(cast.office, now=clock.now() + timedelta(days=day))
        assert RosterExport.objects.count() == 2
        newest = RosterExport.objects.order_by("-made_at")[0].pk
    page = visit.as_(cast.secretary).get("/s/oak/rosters/exports")
    assert page.content.decode().count("/rosters/exports/") == 2
    answer = visit.as_(cast.secretary).get(f"/s/oak/rosters/exports/{newest}")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="oak-2026-10-15.zip"'
    assert answer.content.startswith(b"PK")
    assert visit.as_(cast.teacher).get(f"/s/oak/rosters/exports/{newest}").status_code == 403
    assert visit.as_(cast.stranger).get(f"/s/oak/rosters/exports/{newest}").status_code == 404


def test_the_pages_cost_the_same_with_one_export_and_with_thirty(cast: Cast, visit: Visitor) -> None:
    office = visit.as_(cast.secretary)
    costs: dict[str, list[int]] = {"source": [], "exports": []}
    entered(cast.office, "https://sis.example")
    for count in (1, 30):
        with scope(cast.school.id):
            for _ in range(count):
                RosterExport.objects.create(
                    school_id=cast.school.id, made_at=clock.now(), file_key="x", size=1
                )
        for page, counted in costs.items():
            office.get(f"/s/oak/rosters/{page}")
            with CaptureQueriesContext(connection) as captured:
                assert office.get(f"/s/oak/rosters/{page}").status_code == 200
            counted.append(len(captured))
    assert all(first == last for first, last in costs.values()), costs


def test_the_office_plans_exports(cast: Cast, visit: Visitor) -> None:
    office = visit.as_(cast.secretary)
    assert (
        office.post("/s/oak/rosters/exports", {"is_on": "on", "hour": "5", "kept": "30"}).status_code == 303
    )
    with scope(cast.school.id):
        assert queries.export_plan(cast.office) == queries.ExportPlanFacts(True, 5, 30)
    for wrong in ({"hour": "24", "kept": "1"}, {"hour": "1", "kept": "0"}, {"hour": "x", "kept": "367"}):
        assert office.post("/s/oak/rosters/exports", wrong).status_code == 422
    assert visit.as_(cast.teacher).post("/s/oak/rosters/exports", {}).status_code == 403


FORM = {
    "base_url": "https://sis.example",
    "token_url": "https://sis.example/token",
    "client_id": "abc",
    "secret": "very-secret",
    "share": "15",
    "is_nightly": "on",
}


def test_the_office_enters_the_other_system_and_its_secret_is_never_shown(cast: Cast, visit: Visitor) -> None:
    office = visit.as_(cast.secretary)
    assert office.post("/s/oak/rosters/source", FORM).status_code == 303
    page = office.get("/s/oak/rosters/source").content.decode()
    assert "https://sis.example/ims/oneroster/rostering/v1p2" in page
    assert "very-secret" not in page
    with scope(cast.school.id):
        assert b"very-secret" not in bytes(RosterSource.objects.get().secret)
        assert queries.access_target(cast.office).secret == "very-secret"
    kept = {**FORM, "secret": "", "share": "20"}
    assert office.post("/s/oak/rosters/source", kept).status_code == 303
    with scope(cast.school.id):
        assert queries.access_target(cast.office).secret == "very-secret"
    moved = {**kept, "token_url": "https://evil.example/token"}
    assert office.post("/s/oak/rosters/source", moved).status_code == 422
    for wrong in (
        {"base_url": "ftp://x"},
        {"token_url": "javascript:alert(1)"},
        {"client_id": ""},
        {"share": "101"},
    ):
        answer = office.post("/s/oak/rosters/source", {**FORM, **wrong})
        assert answer.status_code == 422
        assert "very-secret" not in answer.content.decode()
    assert office.post("/s/oak/rosters/source/removal").status_code == 303
    with scope(cast.school.id):
        assert queries.find_source(cast.office) is None
    assert office.post("/s/oak/rosters/source/pull").status_code == 404


def test_the_page_tells_what_came_of_it(cast: Cast, visit: Visitor) -> None:
    office = visit.as_(cast.secretary)
    for number, outcome in enumerate(Outcome):
        entered(cast.office, "https://sis.example")
        with scope(cast.school.id):
            RosterSource.objects.update(
                outcome={"outcome": outcome.value, "detail": f"detail {number}"}, pulled_at=clock.now()
            )
        assert f"detail {number}" in office.get("/s/oak/rosters/source").content.decode()


def test_only_the_office_enters_and_pulls(cast: Cast, visit: Visitor) -> None:
    for path in ("source", "source/pull", "source/removal"):
        assert visit.as_(cast.teacher).post(f"/s/oak/rosters/{path}", FORM).status_code == 403
        assert visit.as_(cast.stranger).post(f"/s/oak/rosters/{path}", FORM).status_code == 404
    with scope(cast.school.id):
        with pytest.raises(Denied):
            pulling.start_pull(cast.teacher.actor, now=clock.now())
        with pytest.raises((ClientMissing, UnfitShare)):
            pulling.enter_source(cast.office, base_url="https://x.example", token_url="https://x.example",
                                 client_id="a", secret="", is_nightly=False, share=10)  # fmt: skip


def test_a_job_without_a_source_does_nothing(cast: Cast) -> None:
    pull_roster.func(school_id=cast.school.id)
    with scope(cast.school.id):
        assert RosterImport.objects.count() == 0
