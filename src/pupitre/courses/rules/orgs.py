"""Which orgs of the files are the school that is imported into."""

from __future__ import annotations

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
        return frozenset(there), []
    likely = likely_orgs(roster, names)
    if len(likely) < 2:
        return likely, []
    several = Finding(Severity.WARNING, FindingCode.SEVERAL_SCHOOLS, params={"count": len(likely)})
    return likely, [several]
