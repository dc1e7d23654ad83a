"""Rights of connections in words that a school's office understands."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pupitre.connections.rules import Scope


@dataclass(frozen=True, slots=True)
class Right:
    """A scope as the form offers it: what the other system may do with it."""

    scope: Scope
    label: str | Promise
    help: str | Promise


GROUPS: Final[tuple[tuple[str | Promise, tuple[Right, ...]], ...]] = (
    (
        _("People and classes"),
        (
            Right(Scope.PEOPLE_READ, _("Read people"), _("Names, roles, contacts and who looks after whom.")),
            Right(Scope.PEOPLE_WRITE, _("Change people"), _("Add people, change what is known of them.")),
            Right(
                Scope.ROSTERS_READ, _("Read classes"), _("Courses, classes, enrolments, the whole roster.")
            ),
            Right(Scope.ROSTERS_WRITE, _("Import rosters"), _("Upload a roster, see its changes, apply it.")),
        ),
    ),
    (
        _("The school day"),
        (
            Right(
                Scope.TIMETABLE_READ, _("Read the timetable"), _("Lessons, rooms, calendar, substitutions.")
            ),
            Right(Scope.TIMETABLE_WRITE, _("Change the timetable"), _("Substitutions, rooms, free days.")),
            Right(Scope.REGISTERS_READ, _("Read registers"), _("Who was present, and the figures.")),
            Right(Scope.REGISTERS_WRITE, _("Take registers"), _("Set marks, close and reopen registers.")),
            Right(Scope.ABSENCES_READ, _("Read absences"), _("What families announced, and its reasons.")),
            Right(Scope.ABSENCES_WRITE, _("Change absences"), _("Note absences, accept or refuse them.")),
        ),
    ),
    (
        _("Notices"),
        (
            Right(Scope.NOTICES_READ, _("Read notices"), _("What was published, and who has read it.")),
            Right(Scope.NOTICES_WRITE, _("Publish notices"), _("Write to everybody or to classes.")),
        ),
    ),
    (
        _("Devices"),
        (
            Right(Scope.DEVICES_READ, _("Read devices"), _("What there is, who has it, how it stands.")),
            Right(
                Scope.DEVICES_WRITE,
                _("Manage devices"),
                _("Take in lists, let in, give out, lock and send messages."),
            ),
        ),
    ),
    (
        _("By a standard"),
        (
            Right(Scope.SCIM, _("SCIM: keep people up to date"), _("A directory adds and removes people.")),
            Right(Scope.ONEROSTER_CORE, _("OneRoster: classes and people"), _("Without personal details.")),
            Right(
                Scope.ONEROSTER, _("OneRoster: with personal details"), _("E-mail, telephone and the like.")
            ),
            Right(
                Scope.ONEROSTER_DEMOGRAPHICS, _("OneRoster: birth data"), _("Sex, date and place of birth.")
            ),
        ),
    ),
)
_LABELS: Final = {right.scope.value: right.label for _title, rights in GROUPS for right in rights}


def labels_of(scopes: Iterable[str]) -> list[str]:
    """The rights in words, in the form's order."""
    held = set(scopes)
    return [str(label) for scope, label in _LABELS.items() if scope in held]
