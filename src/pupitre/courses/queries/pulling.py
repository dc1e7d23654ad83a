"""Where the school's roster is pulled from, what came of it, and the exports that are kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pupitre.courses.models import RosterExport, RosterExportPlan, RosterImport, RosterSource
from pupitre.courses.rules.pulling import NoSource, Outcome, Target
from pupitre.kernel import sealing
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import OFFICE, Actor, require


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The source as its page shows it: never its secret."""

    base_url: str
    token_url: str
    client_id: str
    is_nightly: bool
    share: int
    pulled_at: datetime | None
    outcome: Outcome | None
    detail: str
    import_id: int | None


def find_source(actor: Actor) -> SourceFacts | None:
    """The school's source, or None where none is entered."""
    require(actor, OFFICE)
    row = RosterSource.objects.first()
    if row is None:
        return None
    told: dict[str, Any] = row.outcome
    return SourceFacts(
        row.base_url,
        row.token_url,
        row.client_id,
        row.is_nightly,
        row.share,
        row.pulled_at,
        Outcome(told["outcome"]) if told else None,
        told.get("detail", ""),
        told.get("import_id"),
    )


def access_source(actor: Actor) -> RosterSource:
    """The source to change. Raises NoSource."""
    require(actor, OFFICE)
    row = RosterSource.objects.first()
    if row is None:
        raise NoSource
    return row


def access_target(actor: Actor) -> Target:
    """The source with its secret, to pull from it. Raises NoSource, sealing.Unreadable."""
    row = access_source(actor)
    return Target(row.base_url, row.token_url, row.client_id, sealing.unseal(row.secret))


def was_looked_at(base_url: str) -> bool:
    """Whether an import pulled from that address was applied once: the first one by a person who looked at it."""
    return RosterImport.objects.filter(state=RosterImport.APPLIED, choices__pulled=base_url).exists()


def last_pulled_file(base_url: str) -> str:
    """The key of the files that were applied last, if they came from that address."""
    last = (
        RosterImport.objects.filter(state=RosterImport.APPLIED)
        .order_by("-applied_at", "-id")
        .values_list("file_key", "choices")
        .first()
    )
    return last[0] if last and last[1].get("pulled") == base_url else ""


# -- exports ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExportPlanFacts:
    """When exports are kept, by the hour of the school's day, and how many."""

    is_on: bool = False
    hour: int = 3
    kept: int = 14


def export_plan(actor: Actor) -> ExportPlanFacts:
    require(actor, OFFICE)
    row = RosterExportPlan.objects.first()
    return ExportPlanFacts(row.is_on, row.hour, row.kept) if row else ExportPlanFacts()


def exports_for(actor: Actor) -> list[RosterExport]:
    """The kept exports, the newest first."""
    require(actor, OFFICE)
    return list(RosterExport.objects.order_by("-made_at", "-id")[:400])


def access_export(actor: Actor, export_id: int) -> RosterExport:
    require(actor, OFFICE)
    row = RosterExport.objects.filter(pk=export_id).first()
    if row is None:
        raise NotFound
    return row


def last_export_at(actor: Actor) -> datetime | None:
    require(actor, OFFICE)
    return RosterExport.objects.order_by("-made_at").values_list("made_at", flat=True).first()
