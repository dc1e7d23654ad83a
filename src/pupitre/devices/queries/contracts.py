"""What a loan's contract says: the same facts on the page where it is signed and on paper."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import formats, translation
from django.utils.translation import gettext as _

from pupitre.courses.queries import classes as courses
from pupitre.devices.models import Loan
from pupitre.kernel import clock
from pupitre.people import queries as people
from pupitre.people.queries.invitations import letterhead
from pupitre.people.rules import Actor

from .lending import label


def usual_conditions() -> list[str]:
    """The product's own words of every contract, in the active language."""
    return [
        _("The device remains the property of the school or of the authority that bought it. It is lent free of charge for learning, at school and at home."),
        _("The borrower takes good care of the device, brings it to school charged, and lends it to nobody else."),
        _("Damage, loss or theft is reported to the school at once. A theft is reported to the police too; the school needs the number of the report."),
        _("The school manages the device: it installs applications and updates, sets what is allowed in lessons, and can lock or erase it when it is lost or stolen."),
        _("The school does not see where the device is, what is looked at in the web, or what is on its screen. What it does see is listed for the family at any time in this product."),
        _("The device is returned with its accessories on the day named here, when the pupil leaves the school, or when the school asks for it."),
    ]  # fmt: skip


def contract_of(
    actor: Actor, loan: Loan, *, language: str, signer: str = "", at: datetime | None = None
) -> dict[str, Any]:
    """The facts of one contract for `printing.print_contracts`, in that language.

    With `signer` and `at` it says who signed here and when. Of a loan that was signed already, its own signature.
    """
    with translation.override(language):
        return _contract(actor, loan, language, signer, at)


def contracts_of(actor: Actor, loans: Sequence[Loan], *, language: str) -> list[dict[str, Any]]:
    return [contract_of(actor, loan, language=language) for loan in loans]


def _contract(actor: Actor, loan: Loan, language: str, signer: str, at: datetime | None) -> dict[str, Any]:
    head = letterhead(actor)
    return {
        "lang": language,
        "title": _("Loan of a device"),
        "reference": _("Loan %(number)s") % {"number": loan.pk},
        "school": {
            "name": head.name,
            "address": head.address,
            "contact": " · ".join(one for one in (head.phone, head.email) if one),
        },
        "parts": parts_of(actor, loan),
        "signed": _signature(actor, loan, signer, at),
        "lines": [_("Place and date"), _("Signature of a guardian, or of the pupil when of age")],
    }


def parts_of(actor: Actor, loan: Loan) -> list[dict[str, Any]]:
    """The contract's parts in the active language: [{title, facts, points, paragraphs}]."""
    own = [line.strip() for line in loan.conditions.splitlines() if line.strip()]
    parts = [
        _part(_("Who borrows"), facts=_borrower(actor, loan)),
        _part(_("What is lent"), facts=_device(loan)),
        _part(_("Conditions"), points=usual_conditions()),
    ]
    if own:
        parts.append(_part(_("Conditions of this school"), points=own))
    return parts


def _part(
    title: str,
    *,
    facts: Sequence[tuple[str, str]] = (),
    points: Sequence[str] = (),
    paragraphs: Sequence[str] = (),
) -> dict[str, Any]:
    return {"title": title, "facts": list(facts), "points": list(points), "paragraphs": list(paragraphs)}


def _borrower(actor: Actor, loan: Loan) -> list[tuple[str, str]]:
    today = clock.today(actor.place.time_zone)
    found = [(_("Name"), str(loan.person))]
    if form := courses.homeroom_of([loan.person_id], today=today).get(loan.person_id):
        found.append((_("Class"), form))
    adults = [str(one.guardian) for one in people.guardians_of([loan.person_id], today) if one.sees_record]
    if adults:
        found.append((_("Guardians"), ", ".join(adults)))
    return found


def _device(loan: Loan) -> list[tuple[str, str]]:
    device = loan.device
    made = " ".join(one for one in (device.maker, device.model) if one)
    told = [
        (_("Label"), label(device)),
        (_("Model"), made),
        (_("Serial number"), device.serial),
        (_("Accessories"), ", ".join(loan.accessories)),
        (_("From"), _day(loan.starts_on)),
        (_("Until"), _day(loan.due_on) if loan.due_on else _("the pupil leaves the school")),
    ]
    return [one for one in told if one[1]]


def _day(day: Any) -> str:
    return formats.date_format(day, "DATE_FORMAT")


def _signature(actor: Actor, loan: Loan, signer: str, at: datetime | None) -> str | None:
    name, when = signer, at
    if not name and loan.signed_at is not None:
        name, when = (str(loan.signed_by) if loan.signed_by else ""), loan.signed_at
    if when is None:
        return None
    local = clock.local(when, actor.place.time_zone)
    moment = formats.date_format(local, "DATE_FORMAT")
    if not name:
        return _("Signed on paper on %(date)s. The school keeps the paper.") % {"date": moment}
    return _(
        "Read and signed in the school's online service by %(name)s on %(date)s at %(time)s (%(zone)s)."
    ) % {
        "name": name,
        "date": moment,
        "time": formats.date_format(local, "TIME_FORMAT"),
        "zone": actor.place.time_zone,
    }
