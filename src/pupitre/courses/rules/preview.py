"""What an import will do, as a page shows it: counts and rows with names, plain enough for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pupitre.courses.rules.difference import Plan
from pupitre.courses.rules.facts import KINDS, Facts, Said, org_options
from pupitre.courses.rules.findings import Finding, FindingCode, Severity
from pupitre.courses.rules.planning import Rows, SchoolPlan
from pupitre.courses.rules.roster import Kind, Roster, Unknown

#: So many rows of a kind and sort are kept to be looked at; the counts are always whole.
MOST_SHOWN = 2000
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """Names of what rows are about: the school's own where it knows them, for the office does, else the files'."""

    said: Said
    present: Rows

    def facts(self, kind: Kind, key: str) -> Facts:
        """What is known of a row."""
        told = self.said.rows.get(kind, {}).get(key, {})
        return {**told, **self.present.get(kind, {}).get(key, {})}

    def person(self, key: str) -> str:
        facts = self.facts(Kind.USERS, key)
        name = f"{facts.get('preferred_name') or facts.get('given_name', '')} {facts.get('family_name', '')}"
        return name.strip() or key

    def title(self, kind: Kind, key: str) -> str:
        facts = self.facts(kind, key)
        return str(facts.get("title") or facts.get("name") or key)

    def label(self, kind: Kind, key: str) -> Line:
        """What a row is called; `role`, `part` and `relation` are codes that the page puts into words."""
        facts = self.facts(kind, key)
        if kind is Kind.USERS:
            return {"label": self.person(key), "id": key}
        if kind is Kind.ROLES:
            department = facts["department"]
            note = self.title(Kind.ORGS, department) if department else ""
            return {"label": self.person(facts["person"]), "role": facts["role"], "note": note}
        if kind is Kind.GUARDIANSHIPS:
            pupil = self.person(facts["pupil"])
            return {"label": self.person(facts["guardian"]), "relation": facts["relation"], "note": pupil}
        if kind is Kind.ENROLMENTS:
            klass = self.title(Kind.CLASSES, facts["class"])
            return {"label": self.person(facts["person"]), "part": facts["role"], "note": klass}
        return {"label": self.title(kind, key), "id": key}


def lines_of(kind: Kind, plan: SchoolPlan, names: Names) -> Iterator[Line]:
    """The rows of a kind that something happens to: conflicts first, then what changes, ends, returns and is new."""
    own = plan.plans.get(kind, Plan())
    conflicts = (
        {
            "sort": "conflict",
            "key": c.key,
            "field": c.field,
            "last": c.last,
            "now": c.now,
            "incoming": c.incoming,
            "both": c.both_changed,
        }
        for c in own.conflicts
    )
    rows = [("changed", own.updates), ("back", own.restores), ("new", own.creates)]
    for line in _first(conflicts):
        yield {**line, **names.label(kind, line["key"])}
    ends = ({"sort": "ended", "key": key} for key in plan.ends(kind))
    for line in _first(ends):
        yield {**line, **names.label(kind, line["key"])}
    for sort, changes in rows:
        told = (
            {
                "sort": sort,
                "key": row.key,
                "changes": [[c.field, c.before, c.after] for c in row.changes] if sort != "new" else [],
            }
            for row in changes
        )
        for line in _first(told):
            yield {**line, **names.label(kind, line["key"])}


def _first(lines: Iterator[Line]) -> Iterator[Line]:
    for number, line in enumerate(lines):
        if number >= MOST_SHOWN:
            return
        yield line


def counts_of(plan: SchoolPlan) -> dict[str, dict[str, int]]:
    """How many rows of each kind are new, changed, ended, back, in conflict, and as they were."""
    return {
        kind.value: {
            "new": len(own.creates),
            "changed": len(own.updates),
            "ended": len(plan.ends(kind)),
            "back": len(own.restores),
            "conflicts": len(own.conflicts),
            "same": own.unchanged,
        }
        for kind in KINDS
        if (own := plan.plans.get(kind, Plan())) is not None and (kind in plan.plans or plan.ends(kind))
    }


def summary_of(roster: Roster, orgs: frozenset[str]) -> dict[str, Any]:
    """What the reading leaves to the user: schools to choose among, words to map, the order of dates."""
    ambiguous = any(f.code in {FindingCode.DATE_AMBIGUOUS, FindingCode.DATE_MIXED} for f in roster.findings)
    return {
        "source": str(roster.source),
        "files": list(roster.files),
        "orgs": [
            {
                "id": org.sourced_id,
                "name": org.name,
                "type": org.type,
                "people": org.people,
                "chosen": org.sourced_id in orgs,
            }
            for org in org_options(roster)
        ],
        "unknown_roles": [_word(word) for word in roster.unknown_roles],
        "unknown_grades": [_word(word) for word in roster.unknown_grades],
        "ambiguous_dates": ambiguous,
    }


def _word(word: Unknown) -> Line:
    return {"value": word.value, "count": word.count, "file": word.place.file, "line": word.place.line}


def finding_to_json(finding: Finding) -> Line:
    """A finding as it is kept."""
    return {
        "severity": finding.severity.value,
        "code": finding.code.value,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "value": finding.value,
        "params": dict(finding.params),
    }


def finding_from_json(line: Mapping[str, Any]) -> Finding:
    """A finding that was kept."""
    return Finding(
        Severity(line["severity"]),
        FindingCode(line["code"]),
        line["file"],
        line["line"],
        line["column"],
        line["value"],
        line["params"],
    )


def places_of(roster: Roster, kind: Kind, lines: list[Line], said: Said) -> None:
    """Put file and line to the rows that stand in the files."""
    ids = said.ids.get(kind, {})
    for line in lines:
        key = ids.get(line["key"], [line["key"]])[0].replace("\x1f", ":")
        place = roster.place(kind, key)
        if place is not None:
            line["place"] = [place.file, place.line]
