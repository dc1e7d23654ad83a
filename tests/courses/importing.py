"""What the tests of the import share: uploading made-up files into the cast's second school, which has no roster yet."""

from typing import Any

from pupitre.courses.actions import rosters
from pupitre.courses.models import Class, ClassSession, Course, Enrolment, RosterImport, RosterMemory
from pupitre.kernel import clock
from pupitre.people.models import Department, Guardianship, Membership, Person
from pupitre.people.rules import Actor, system_actor
from tests.cast import Cast
from tests.courses.made_rosters import encoded

TABLES = (Person, Department, Membership, Guardianship, Course, Class, ClassSession, Enrolment, RosterMemory)


def office_of(cast: Cast) -> Actor:
    """The office of the school without a roster."""
    return system_actor(cast.other_school)


def uploaded(actor: Actor, files: dict[str, str]) -> RosterImport:
    return rosters.upload_roster(actor, files=encoded(files), file_name="roster.zip", now=clock.now())


def checked(actor: Actor, files: dict[str, str], **choices: Any) -> RosterImport:
    record = rosters.read_import(actor, uploaded(actor, files).pk, now=clock.now())
    return rosters.choose(actor, record.pk, now=clock.now(), **choices) if choices else record


def imported(actor: Actor, files: dict[str, str], **choices: Any) -> RosterImport:
    record = checked(actor, files, **choices)
    return rosters.apply_import(actor, record.pk, now=clock.now())


def row_counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in TABLES}


def sums(record: RosterImport) -> dict[str, int]:
    """The counts of a plan or report over all kinds."""
    kinds = (record.report.get("kinds") or record.plan["kinds"]).values()
    return {
        sort: sum(counts[sort] for counts in kinds)
        for sort in ("new", "changed", "ended", "back", "conflicts")
    }
