"""What the pages of lending have in common: days, conditions, a contract's file."""

from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import get_language

from pupitre.devices import wording as words
from pupitre.devices.printing import print_contracts
from pupitre.devices.queries import contracts
from pupitre.devices.rules import Condition
from pupitre.kernel.errors import DomainError
from pupitre.kernel.storage import Storage
from pupitre.people.rules import Actor
from pupitre.web.middleware import told

if TYPE_CHECKING:
    from pupitre.devices.models import Loan


def day_of(text: str) -> date | None:
    """A day of a form's field; None where it is none."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def errors_of(error: DomainError) -> tuple[str, ...]:
    """What was refused, in the reader's language."""
    return (told(error),)


def reported_conditions() -> list[tuple[int, str]]:
    """What one may report of a device."""
    return [
        (int(one), str(words.CONDITIONS[one])) for one in (Condition.BROKEN, Condition.LOST, Condition.STOLEN)
    ]


def kept_conditions() -> list[tuple[int, str]]:
    """In what condition a device may be that comes back."""
    return [
        (int(one), str(words.CONDITIONS[one]))
        for one in (Condition.GOOD, Condition.BROKEN, Condition.IN_REPAIR)
    ]


def contract_response(actor: Actor, loan: "Loan") -> HttpResponse:
    """The contract as it was signed here; else set from the loan, to be signed on paper."""
    if loan.contract_key:
        data = Storage(settings.CONFIG.storage_url).get(loan.contract_key)
    else:
        language = get_language() or actor.place.locale
        data = print_contracts([contracts.contract_of(actor, loan, language=language)])
    headers = {
        "Content-Disposition": f'attachment; filename="loan-{loan.pk}.pdf"',
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(data, content_type="application/pdf", headers=headers)
