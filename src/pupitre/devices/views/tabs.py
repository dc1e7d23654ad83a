"""The pages of a school's fleet beside one another: each part of the context names its own here."""

from typing import Any, Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: Label and the URL's name, in the order of their use.
TABS: Final[tuple[tuple[str | Promise, str], ...]] = (
    (_("Overview"), "devices"),
    (_("Devices"), "device-list"),
    (_("Classes"), "device-classes"),
    (_("Policies"), "policies"),
    (_("Loans"), "device-loans"),
    (_("Applications"), "device-applications"),
    (_("Rollouts"), "device-rollouts"),
    (_("Enrolment"), "device-enrolment"),
    (_("Deliveries"), "device-deliveries"),
)
AUTHORITY_TABS: Final[tuple[tuple[str | Promise, str], ...]] = (
    (_("Overview"), "fleet"),
    (_("Devices"), "fleet-devices"),
    (_("Applications"), "fleet-applications"),
    (_("Rollouts"), "fleet-rollouts"),
    (_("Policies"), "fleet-policies"),
)


def tabs_of(school: str, current: str) -> list[dict[str, Any]]:
    """The tabs of the school's fleet, of which `current` is the page's."""
    return [
        {"label": label, "href": reverse(name, kwargs={"school": school}), "current": name == current}
        for label, name in TABS
    ]


def authority_tabs_of(authority: str, current: str) -> list[dict[str, Any]]:
    """The tabs of the authority's fleet."""
    return [
        {"label": label, "href": reverse(name, kwargs={"authority": authority}), "current": name == current}
        for label, name in AUTHORITY_TABS
    ]
