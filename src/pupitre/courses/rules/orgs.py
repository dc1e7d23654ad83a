"""Which orgs of the files are the school that is imported into."""

from __future__ import annotations

import re
from collections.abc import Collection

from pupitre.courses.rules.facts import likely_orgs, org_options
from pupitre.courses.rules.findings import Finding, FindingCode, Severity
from pupitre.courses.rules.roster import Roster


def decide_orgs(
    roster: Roster, chosen: Collection[str], names: Collection[str]
) -> tuple[frozenset[str], list[Finding]]:
    """The chosen orgs as far as the files have them, else the likely ones, with a warning where those are several.

    Files that bring no orgs along keep the choice as it is. `names`: the school's own sourcedId, code and name.
    """
    options = {option.sourced_id for option in org_options(roster)}
    if not options:
        return frozenset(chosen), []
    if there := options & set(chosen):
        return frozenset(there), _of_another_school(roster, there, names)
    likely = likely_orgs(roster, names)
    if len(likely) < 2:
        return likely, _of_another_school(roster, likely, names)
    several = Finding(Severity.WARNING, FindingCode.SEVERAL_SCHOOLS, params={"count": len(likely)})
    return likely, [several]


def _of_another_school(roster: Roster, likely: Collection[str], names: Collection[str]) -> list[Finding]:
    """A warning where a country's file bears a code of the same make as this school's, and it is not this one's."""
    if roster.coverage is None:
        return []
    found = [(org, code) for org in likely for code in names if _make(org) and _make(org) == _make(code)]
    if len(found) != 1 or set(likely) & set(names):
        return []
    ((org, code),) = found
    return [Finding(Severity.WARNING, FindingCode.OTHER_SCHOOL, value=org, params={"meant": code})]


def _make(code: str) -> str:
    """How a code is made: '0990001X' is seven digits and a letter."""
    return re.sub("[A-Za-z]", "a", re.sub("[0-9]", "0", code)) if any(map(str.isdigit, code)) else ""
