"""The demonstration's fleet: about nine hundred tablets and computers in three schools, alive at whatever hour one looks.

Everything is invented and follows from the population and the seed. Pupils of the upper grades have borrowed a device, the
small ones share trolleys; some wait to be approved, some are broken or gone, and a new version is on its way.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

from pupitre.courses.queries import classes as courses
from pupitre.devices.actions import figures, loading, placing
from pupitre.devices.queries import catalogue
from pupitre.devices.rules import (
    CommandState,
    Condition,
    InstallState,
    LoanState,
    Platform,
    Protocol,
    RolloutState,
    Standing,
    Verb,
    applications,
)
from pupitre.devices.rules.applications import Wave
from pupitre.devices.rules.events import EventKind
from pupitre.devices.rules.loading import (
    NewApplication,
    NewCommand,
    NewDelivery,
    NewDevice,
    NewIncident,
    NewInstallation,
    NewLoan,
    NewRollout,
    NewStatus,
    NewVersion,
)
from pupitre.kernel import clock
from pupitre.people.queries.keys import person_ids
from pupitre.people.rules import Actor, system_actor
from pupitre.project.demo import fleet_rules
from pupitre.project.demo.roster import Group, Pupil
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

if TYPE_CHECKING:
    from pupitre.project.demo.present import Demonstration

#: How the demonstration's devices call themselves: what enrols by itself besides is not touched.
PREFIX = "demo-"
SEED = 7


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of device, with the versions of its system as they are spread."""

    platform: Platform
    protocol: Protocol
    maker: str
    name: str
    systems: tuple[str, ...]
    agent: str
    storage: int


TABLET = Model(
    Platform.ANDROID,
    Protocol.HEADWIND,
    "Samsung",
    "Galaxy Tab A9+",
    ("13", "14", "14", "15", "15", "15"),
    "6.36",
    64,
)
SMALL_TABLET = Model(Platform.ANDROID, Protocol.HEADWIND, "Lenovo", "Tab M10", ("12", "13", "13"), "6.34", 32)
LAPTOP = Model(
    Platform.LINUX,
    Protocol.PUPITRE,
    "Lenovo",
    "ThinkPad L13",
    ("Debian 12.8", "Debian 13.1", "Debian 13.1"),
    "1.0",
    256,
)
NOTEBOOK = Model(
    Platform.WINDOWS,
    Protocol.PUPITRE,
    "HP",
    "ProBook 440",
    ("10.0.22631", "10.0.26100", "10.0.26100"),
    "1.0",
    256,
)
_WORDS = {
    "ca": {
        "charger": "Carregador", "case": "Funda", "pencil": "Llapis", "spare": "Reserva", "trolley": "Carro {}",
        "broken": "La pantalla té una esquerda.", "repair": "No s'encén; és al taller.", "lost": "No la troba des del cap de setmana.",
        "stolen": "Li han pres la motxilla a l'estació.", "note": "Albarà {}", "message": "Porteu la tauleta dilluns per revisar-la.",
        "crack": "Es va trencar en caure de la taula.", "mended": "Pantalla canviada",
        "policy": "Tauletes de l'escola", "lesson": "Només calculadora i atles",
    },
    "es": {
        "charger": "Cargador", "case": "Funda", "pencil": "Lápiz", "spare": "Reserva", "trolley": "Carro {}",
        "broken": "La pantalla tiene una grieta.", "repair": "No enciende; está en el taller.", "lost": "No la encuentra desde el fin de semana.",
        "stolen": "Le quitaron la mochila en la estación.", "note": "Albarán {}", "message": "Traed la tableta el lunes para revisarla.",
        "crack": "Se rompió al caer de la mesa.", "mended": "Pantalla cambiada",
        "policy": "Tabletas del centro", "lesson": "Solo calculadora y atlas",
    },
}  # fmt: skip
#: Which grades borrow what for a year; the key's part after the school's.
_LENT = {
    "pri": {"5": SMALL_TABLET, "6": SMALL_TABLET},
    "sec": {**dict.fromkeys(("1E", "2E", "3E", "4E"), TABLET), "1B": LAPTOP, "2B": NOTEBOOK},
    "col": dict.fromkeys(("1M", "2M"), TABLET),
}
_TROLLEYS = {"pri": 2, "sec": 0, "col": 1}
_SPARES = {"pri": 4, "sec": 14, "col": 5}
_IN_A_TROLLEY = 22
_PACKAGES = {
    Platform.ANDROID: {
        "org.geogebra.android": "5.2.891",
        "org.kde.marble": "24.08",
        "org.fossify.math": "1.2.0",
    },
    Platform.LINUX: {"geogebra": "5.2.891", "libreoffice": "25.2", "firefox-esr": "140.3"},
    Platform.WINDOWS: {"GeoGebra.Classic": "6.0.850", "Mozilla.Firefox": "140.3"},
}
_GEOGEBRA = "org.geogebra.android"


def ensure(made: "Demonstration", schools: Sequence[SchoolFacts], *, now: datetime) -> None:
    """Fill what is missing of the fleet, and keep the rest in the present. Outside of any scope; safe to repeat."""
    for authority_id in sorted({facts.authority_id for facts in schools}):
        with scope(authority=authority_id):
            if not catalogue.has_applications():
                loading.load_applications(authority_id, _catalogue(made, schools, now))
            fleet_rules.ensure_base(authority_id, now=now)
    for facts in schools:
        with scope(facts.id):
            keep(made, facts, now=now)


def keep(made: "Demonstration", facts: SchoolFacts, *, now: datetime) -> None:
    """One school's part, within its scope."""
    actor = system_actor(facts)
    loading.wait_for_turn(actor)
    if not loading.has_devices(actor, prefix=PREFIX):
        _Filling(made, facts, actor, now).fill()
        placing.place(facts.id)
        fleet_rules.ensure_rules(facts, now=now)
    loading.let_them_speak(actor, prefix=PREFIX, now=now)
    _report(actor, now)
    figures.count_fleet(facts)


# The catalogue


def _catalogue(
    made: "Demonstration", schools: Sequence[SchoolFacts], now: datetime
) -> Iterator[NewApplication]:
    ids = {one.slug: one.id for one in schools}
    of = {one.key: ids[one.slug] for one in made.population.schools if one.slug in ids}
    began = now - timedelta(days=60)
    yield NewApplication(
        _GEOGEBRA, "GeoGebra", Platform.ANDROID, "apk", began, "GeoGebra GmbH",
        (_version("geogebra", "5.2.891", 52891, 71), _version("geogebra", "5.2.904", 52904, 73)),
        (
            NewRollout(
                "5.2.904", "5.2.891", RolloutState.RUNNING,
                (
                    Wave(1, now - timedelta(days=3), frozenset({of["sec"]} if "sec" in of else ()), 10),
                    Wave(2, now - timedelta(hours=20), frozenset({of["sec"]} if "sec" in of else ()), 60),
                    Wave(3, now + timedelta(days=2), frozenset(), 100),
                ),
                now - timedelta(days=4), site_budget=4000,
            ),
        ),
    )  # fmt: skip
    yield NewApplication(
        "org.kde.marble", "Marble, atlas", Platform.ANDROID, "apk", began, "KDE",
        (_version("marble", "24.05", 2405, 48), _version("marble", "24.08", 2408, 48), _version("marble", "25.04", 2504, 51)),
        (
            NewRollout("24.08", "24.05", RolloutState.DONE, (Wave(1, now - timedelta(days=40)),), now - timedelta(days=41)),
            NewRollout(
                "25.04", "24.08", RolloutState.HALTED, (Wave(1, now - timedelta(days=9), share=15),),
                now - timedelta(days=10), why_halted="failures",
            ),
        ),
    )  # fmt: skip
    for package, name, platform, kind, publisher, version, size in (
        ("org.fossify.math", "Calculator", Platform.ANDROID, "apk", "Fossify", "1.2.0", 9),
        ("org.videolan.vlc", "VLC", Platform.ANDROID, "apk", "VideoLAN", "3.6.5", 38),
        ("geogebra", "GeoGebra", Platform.LINUX, "deb", "GeoGebra GmbH", "5.2.891", 98),
        ("libreoffice", "LibreOffice", Platform.LINUX, "deb", "The Document Foundation", "25.2", 210),
        ("GeoGebra.Classic", "GeoGebra", Platform.WINDOWS, "winget", "GeoGebra GmbH", "6.0.850", 0),
        ("Mozilla.Firefox", "Firefox", Platform.WINDOWS, "winget", "Mozilla", "140.3", 0),
    ):
        made_version = (_version(package, version, 0, size),)
        yield NewApplication(package, name, platform, kind, began, publisher, made_version)


def _version(name: str, version: str, code: int, megabytes: int) -> NewVersion:
    file = f"{name}-{version}"
    sha256 = blake2b(file.encode(), digest_size=32).hexdigest()
    url = f"https://downloads.example.org/{file}" if megabytes else ""
    return NewVersion(version, code, megabytes * 1_000_000, url, sha256 if megabytes else "")


def _report(actor: Actor, now: datetime) -> None:
    """What the school's devices have reported by now of versions that are under way: by whose turn it is."""
    held = catalogue.catalogue_of_school(actor)
    devices = loading.numbers_heard(actor, prefix=PREFIX, platform=Platform.ANDROID)
    if not devices:
        return
    reports = []
    for app in held.applications:
        for rollout in app.rollouts:
            if (
                rollout.state in {RolloutState.RUNNING, RolloutState.HALTED}
                and app.platform is Platform.ANDROID
            ):
                reports += list(_reports(rollout, app.by_id[rollout.version].size, actor, devices, now))
    loading.load_installations(actor, reports, devices)


def _reports(
    rollout: applications.Rollout, size: int, actor: Actor, devices: dict[str, int], now: datetime
) -> Iterator[NewInstallation]:
    failing = 0.09 if rollout.state is RolloutState.HALTED else 0.02
    for number in devices:
        place = applications.Place(number, actor.place.id, Platform.ANDROID, len(devices))
        chance = applications.position_of(-rollout.id, number)
        if chance < 0.86 and applications.takes_part(rollout, size, place, now):
            turn = applications.turn_of(rollout, place.school, now)
            at = (turn.starts_at if turn else now) + timedelta(minutes=chance * 900)
            if at <= now:
                state = InstallState.FAILED if chance < failing else InstallState.INSTALLED
                told = "INSTALL_FAILED_INSUFFICIENT_STORAGE" if state is InstallState.FAILED else ""
                yield NewInstallation(number, rollout.version, state, at, told)


# A school's devices


@dataclass
class _Filling:
    """One school while it is filled."""

    made: "Demonstration"
    facts: SchoolFacts
    actor: Actor
    now: datetime

    def __post_init__(self) -> None:
        self.school = next(one for one in self.made.population.schools if one.slug == self.facts.slug)
        self.rng = random.Random(f"{SEED}/{self.school.key}")  # noqa: S311
        self.words = _WORDS[self.school.languages[0]]
        self.today = clock.local(self.now, self.facts.time_zone).date()
        self.bought = self.now - timedelta(days=66)

    @cached_property
    def people(self) -> dict[str, int]:
        return person_ids(self.actor)

    @cached_property
    def groups(self) -> dict[str, Group]:
        return {one.key: one for one in self.made.population.groups if one.school_key == self.school.key}

    @cached_property
    def class_ids(self) -> dict[str, int]:
        return {one["title"]: one["id"] for one in courses.homerooms()}

    @property
    def accessories(self) -> tuple[str, ...]:
        return (self.words["charger"], self.words["case"], self.words["pencil"])

    def fill(self) -> None:
        delivery = NewDelivery(
            self.words["note"].format(f"{self.bought:%y%m}-{self.school.key.upper()}"),
            "Subministraments Marinada" if self.school.country == "ES" else "Insumos Arrayán",
            self.bought.date(),
            self.bought.date() + timedelta(days=3 * 365),
            self.bought,
        )
        devices = [*self._lent(), *self._trolleys(), *self._others()]
        known = [replace(one, delivery=delivery.name) for one in devices if one.standing != Standing.WAITING]
        unknown = [one for one in devices if one.standing == Standing.WAITING]
        loading.load_fleet(self.actor, [*known, *unknown], [delivery])

    def _device(self, kind: str, place: int, model: Model, **facts: object) -> NewDevice:
        code = {"lent": "", "trolley": "T", "other": "R"}[kind]
        number = f"{PREFIX}{self.school.key}-{code.lower()}{place:04d}"
        serial = blake2b(f"{SEED}/{number}".encode(), digest_size=5).hexdigest().upper()
        enrolled = self.bought + timedelta(days=2, minutes=3 * place)
        made = NewDevice(
            number, serial, f"{self.school.key.upper()}-{code}{place:04d}", "", model.platform, model.protocol, model.maker,
            model.name, self.bought, warranty_until=self.bought.date() + timedelta(days=3 * 365), enrolled_at=enrolled,
            status=self._status(model), applications=self._applications(model.platform),
            hardware={"storage_gb": model.storage, "memory_gb": 4 if model.storage < 100 else 16},
            events=((self.bought, EventKind.EXPECTED, {}), (enrolled, EventKind.ENROLLED, {})),
        )  # fmt: skip
        return replace(made, **facts)  # type: ignore[arg-type]

    def _status(self, model: Model) -> NewStatus:
        rng = self.rng
        bad = rng.random() < 0.04
        return NewStatus(
            self.now - timedelta(hours=1), rng.randint(8, 100), rng.random() < 0.2,
            min(100, max(58, round(rng.gauss(92, 6)))), rng.choice(model.systems), model.agent,
            int(model.storage * 1e9 * rng.uniform(0.05, 0.7)),
            ({"key": "wifi", "reason": "802.1x: certificate expired"},) if bad else (), not bad,
        )  # fmt: skip

    def _applications(self, platform: Platform) -> dict[str, str]:
        return {
            package: version for package, version in _PACKAGES[platform].items() if self.rng.random() < 0.97
        }

    # What is lent

    def _lent(self) -> Iterator[NewDevice]:
        grades = {f"{self.school.key}-{key}": model for key, model in _LENT[self.school.key].items()}
        pupils = [
            one
            for one in self.made.population.pupils
            if one.school_key == self.school.key and one.ends_on is None and one.grade_key in grades
        ]
        shown = {
            one.person_key for one in self.made.population.personas if one.role == "pupil"
        } | self._to_sign
        for place, pupil in enumerate(pupils, start=1):
            device = self._device("lent", place, grades[pupil.grade_key])
            yield self._with_loan(device, pupil, is_shown=pupil.person_key in shown)

    @cached_property
    def _to_sign(self) -> set[str]:
        """The children of the guardians whom visitors sign in as: their contracts wait."""
        shown = {one.person_key for one in self.made.population.personas if one.role == "guardian"}
        return {one.pupil_key for one in self.made.population.guardianships if one.guardian_key in shown}

    def _guardian(self, pupil: Pupil) -> int | None:
        ties = [
            one
            for one in self.made.population.guardianships
            if one.pupil_key == pupil.person_key and one.has_custody
        ]
        first = min(ties, key=lambda one: one.order, default=None)
        return self.people.get(first.guardian_key) if first else None

    def _with_loan(self, device: NewDevice, pupil: Pupil, *, is_shown: bool) -> NewDevice:
        person, lent = self.people[pupil.person_key], self.now - timedelta(days=58)
        waits = pupil.person_key in self._to_sign or (not is_shown and self.rng.random() < 0.05)
        loan = NewLoan(
            person, LoanState.PROPOSED if waits else LoanState.RUNNING, lent.date(), self._due(), lent, self.accessories,
            signed_by=None if waits or self.rng.random() < 0.3 else self._guardian(pupil),
            signed_at=None if waits else lent + timedelta(days=self.rng.randint(1, 9), minutes=self.rng.randint(0, 600)),
        )  # fmt: skip
        events = (*device.events, (lent, EventKind.LENT, {}))
        if not waits:
            events = (*events, (loan.signed_at or lent, EventKind.SIGNED, {}))
        held = replace(device, holder=person, loans=(loan,), events=events)
        return held if is_shown else self._with_fate(held)

    def _due(self) -> date:
        year = next(
            one
            for one in self.made.population.sessions
            if one.school_key == self.school.key and one.kind == "schoolYear"
        )
        # Some were lent for a term, and are overdue.
        return (
            self.today - timedelta(days=self.rng.randint(2, 20))
            if self.rng.random() < 0.015
            else year.ends_on
        )

    def _with_fate(self, device: NewDevice) -> NewDevice:
        chance, fates = self.rng.random(), ((0.016, Condition.BROKEN, "broken"), (0.024, Condition.IN_REPAIR, "repair"),
                                            (0.030, Condition.LOST, "lost"), (0.034, Condition.STOLEN, "stolen"))  # fmt: skip
        for limit, condition, told in fates:
            if chance < limit:
                return self._reported(device, condition, self.words[told])
        if chance < 0.06:
            ended = self.now - timedelta(days=self.rng.randint(3, 12))
            incident = self._incident(
                Condition.BROKEN, self.words["crack"], closed=ended, outcome=self.words["mended"]
            )
            return replace(device, incidents=(incident,))
        if chance < 0.12:
            return replace(device, commands=(self._command(),))
        return device

    def _incident(
        self, condition: Condition, told: str, *, closed: datetime | None = None, outcome: str = ""
    ) -> NewIncident:
        at = self.now - timedelta(days=self.rng.randint(1, 25), minutes=self.rng.randint(0, 900))
        at = min(at, closed - timedelta(days=2)) if closed else at
        return NewIncident(condition, told, at.date(), at, closed_at=closed, outcome=outcome)

    def _reported(self, device: NewDevice, condition: Condition, told: str) -> NewDevice:
        reported = Condition.BROKEN if condition is Condition.IN_REPAIR else condition
        incident = self._incident(reported, told)
        kind = {
            Condition.BROKEN: EventKind.BROKEN,
            Condition.LOST: EventKind.LOST,
            Condition.STOLEN: EventKind.STOLEN,
        }[reported]
        gone = condition in {Condition.LOST, Condition.STOLEN}
        last = incident.reported_at - timedelta(hours=5)
        commands = (self._command(Verb.LOCK, incident.reported_at),) if gone else ()
        status = replace(device.status, last_seen_at=last) if device.status else None
        events = (*device.events, (incident.reported_at, kind, {}))
        return replace(
            device,
            condition=condition,
            incidents=(incident,),
            commands=commands,
            status=status,
            events=events,
        )

    def _command(self, verb: Verb | None = None, at: datetime | None = None) -> NewCommand:
        chosen = verb or self.rng.choice(
            (Verb.MESSAGE, Verb.MESSAGE, Verb.REBOOT, Verb.REPORT, Verb.LOCK, Verb.WIPE)
        )
        states = [CommandState.DONE] * 5 + [
            CommandState.QUEUED, CommandState.SENT, CommandState.FAILED, CommandState.EXPIRED, CommandState.CANCELLED,
            CommandState.SUPERSEDED,
        ]  # fmt: skip
        state = CommandState.QUEUED if verb else self.rng.choice(states)
        if chosen is Verb.WIPE:
            state = self.rng.choice((CommandState.PROPOSED, CommandState.REJECTED))
        fresh = state in {CommandState.PROPOSED, CommandState.QUEUED, CommandState.SENT}
        made = at or self.now - (
            timedelta(minutes=self.rng.randint(3, 200)) if fresh else timedelta(days=self.rng.randint(2, 40))
        )
        answered = state in {CommandState.DONE, CommandState.FAILED}
        sent = made + timedelta(minutes=7) if answered or state is CommandState.SENT else None
        return NewCommand(
            chosen, state, made, made + timedelta(days=30 if verb else 7),
            {"text": self.words["message"]} if chosen is Verb.MESSAGE else {}, sent_at=sent,
            ended_at=None if fresh else made + timedelta(minutes=8),
            result={"reason": "timeout"} if state is CommandState.FAILED else {},
        )  # fmt: skip

    # What is not lent

    def _trolleys(self) -> Iterator[NewDevice]:
        small = [one for one in self.groups.values() if one.grade_key not in self._lent_grades]
        for trolley in range(_TROLLEYS[self.school.key]):
            klass = self.class_ids.get(small[trolley % len(small)].title)
            for place in range(_IN_A_TROLLEY):
                number = 1 + trolley * _IN_A_TROLLEY + place
                name = f"{self.words['trolley'].format(trolley + 1)} / {place + 1}"
                yield self._device("trolley", number, SMALL_TABLET, name=name, klass=klass)

    @property
    def _lent_grades(self) -> set[str]:
        return {f"{self.school.key}-{key}" for key in _LENT[self.school.key]}

    def _others(self) -> Iterator[NewDevice]:
        """Spares, some that came by themselves, some that were bought and not heard of yet, some taken out of use."""
        spares, model = _SPARES[self.school.key], TABLET if self.school.key != "pri" else SMALL_TABLET
        for place in range(1, spares + 1):
            yield self._device("other", place, model, name=f"{self.words['spare']} {place}")
        for place in range(spares + 1, spares + 1 + max(2, spares // 3)):
            came = self.now - timedelta(minutes=17 * (place - spares))
            yield self._device(
                "other", place, model, standing=Standing.WAITING, enrolled_at=None, created_at=came, asset_tag="", status=None,
                applications={}, warranty_until=None, events=((came, EventKind.WAITING, {}),),
            )  # fmt: skip
        for place in range(200, 200 + 2 * spares):
            yield self._device(
                "other", place, model, standing=Standing.EXPECTED, enrolled_at=None, status=None, applications={},
                protocol=Protocol.NONE, events=((self.bought, EventKind.EXPECTED, {}),),
            )  # fmt: skip
        for place in range(300, 300 + max(1, spares // 2)):
            ended = self.now - timedelta(days=20)
            yield self._device(
                "other", place, SMALL_TABLET, standing=Standing.RETIRED, retired_at=ended,
                warranty_until=self.today - timedelta(days=40),
                events=((ended, EventKind.RETIRED, {}),),
            )  # fmt: skip
