"""What the demonstration's fleet obeys, and who cares for it: policies, a rule for lessons, a technician, a fleet manager."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pupitre.courses.queries import classes as courses
from pupitre.devices.actions import lending, lesson_rules, policies
from pupitre.devices.queries import policies as queries
from pupitre.devices.rules import Level
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.actions import loading as people_loading
from pupitre.people.queries.keys import person_ids
from pupitre.people.rules import Actor, Role, system_actor
from pupitre.people.rules.loading import NewAccount
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

if TYPE_CHECKING:
    from pupitre.project.demo.present import Demonstration

TECHNICIAN, MANAGER = "rpuig.tecnic", "lsoler.flota"
#: (given name, family name)
_NAMES: Final = {TECHNICIAN: ("Roser", "Puig Ferran"), MANAGER: ("Lluís", "Soler Camps")}
_SOURCE: Final = "staff-technician"
_ATLAS: Final = ["org.fossify.math", "org.kde.marble"]
_BASE: Final[dict[str, Any]] = {
    "settings": {
        "developer_mode": False,
        "factory_reset": False,
        "usb_storage": False,
        "passcode": "easy",
        "system_updates": {"mode": "window", "from": "16:00", "to": "19:30"},
        "applications": [
            {"package": one, "action": "install"}
            for one in (
                "org.geogebra.android", "org.kde.marble", "org.fossify.math", "geogebra", "libreoffice", "GeoGebra.Classic",
                "Mozilla.Firefox",
            )
        ],
    },
    "locked": ["developer_mode", "factory_reset"],
}  # fmt: skip
_NAMES_OF_RULES: Final = {
    "ca": ("Norma bàsica del Consorci", "Tauletes de l'escola", "Només calculadora i atles"),
    "es": ("Norma básica del Consorcio", "Tabletas del centro", "Solo calculadora y atlas"),
}
_CONDITIONS: Final = {
    "ca": "No s'hi enganxen adhesius.\nLa funda no es treu mai.",
    "es": "No se pegan adhesivos.\nLa funda no se quita nunca.",
}
_ACCESSORIES: Final = {
    "ca": ["Carregador", "Funda", "Llapis"],
    "es": ["Cargador", "Funda", "Lápiz"],
}


def ensure_people(made: "Demonstration", schools: list[SchoolFacts], password: str, *, now: datetime) -> None:
    """The technician of the secondary school and the authority's fleet manager, ready to sign in."""
    wanted = [
        NewAccount(name, " ".join(told), f"{name}@example.org", "ca", password)
        for name, told in _NAMES.items()
    ]
    people_loading.open_accounts(wanted, now=now)
    manager = people_loading.account_of(MANAGER)
    people.appoint_fleet_manager(authority_id=schools[0].authority_id, account=manager)
    facts = next(one for one in schools if one.slug == _slug_of(made, "sec"))
    with scope(facts.id):
        actor = system_actor(facts)
        if _SOURCE in person_ids(actor):
            return
        given, family = _NAMES[TECHNICIAN]
        person = people.register_person(
            actor, sourced_id=_SOURCE, given_name=given, family_name=family, now=now
        )
        people.grant_role(actor, person, Role.TECHNICIAN)
        people.link_account(actor, person, people_loading.account_of(TECHNICIAN))


def _slug_of(made: "Demonstration", key: str) -> str:
    return next(one.slug for one in made.population.schools if one.key == key)


def ensure_base(authority_id: int, *, now: datetime) -> None:
    """The authority's policy, in its scope: what all schools' devices obey."""
    actor = Actor(0, authority_id=authority_id, authority_roles=frozenset({Role.FLEET_MANAGER}))
    if queries.policies_for(actor):
        return
    made = policies.create_policy(actor, name=_NAMES_OF_RULES["ca"][0], document=_BASE, now=now)
    policies.assign_policy(actor, made.pk, level=Level.AUTHORITY, whom=authority_id, now=now)


def ensure_rules(facts: SchoolFacts, *, now: datetime) -> None:
    """The school's own policy, its terms of lending and, at the secondary school, the rule of a class; in its scope."""
    actor = system_actor(facts)
    if any(one.is_own for one in queries.policies_for(actor)):
        return
    language = "ca" if facts.locale == "ca" else "es"
    _, name, rule = _NAMES_OF_RULES[language]
    document = {
        "settings": {
            "wifi": [{"ssid": f"{facts.slug}-alumnes", "security": "wpa2", "password": "marinada-2026"}],
            "web": {"mode": "block", "hosts": ["casino.example", "apostes.example"]},
            "screen_timeout": 300,
        },
        "locked": [],
    }
    made = policies.create_policy(actor, name=name, document=document, now=now)
    policies.assign_policy(actor, made.pk, level=Level.SCHOOL, whom=facts.id, now=now)
    lending.save_terms(actor, conditions=_CONDITIONS[language], accessories=_ACCESSORIES[language])
    klass = next((one for one in courses.homerooms() if one["title"] == "2º ESO B"), None)
    if klass is not None:
        today = clock.local(now, facts.time_zone).date()
        lesson_rules.make_rule(
            actor, klass["id"], name=rule, settings={"allowed_applications": {"packages": _ATLAS}},
            starts_on=today - timedelta(days=20), ends_on=today + timedelta(days=200), subject="Matemáticas", now=now,
        )  # fmt: skip
