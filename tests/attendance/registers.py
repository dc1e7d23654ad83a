"""What the tests of registers share: addresses, a bigger class, and batches as a device sends them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from pupitre.courses import actions as courses
from pupitre.people import actions as people
from pupitre.people.rules import Role
from tests.cast import NOW, Cast

PHONE, TABLET = "0a0a0a0a-phone", "1b1b1b1b-tablet"


def address(cast: Cast, part: str = "", *, lesson: int = 0, on: str = "2026-10-13") -> str:
    return f"/s/oak/registers/{lesson or cast.lesson.pk}/{on}{part}"


def fill_class(cast: Cast, number: int) -> list[Any]:
    """That many more pupils in the class."""
    made = []
    for n in range(number):
        child = people.register_person(
            cast.office, sourced_id=f"more-{n}", given_name=f"Nil{n}", family_name=f"Zafra {n:02}", now=NOW
        )
        people.grant_role(cast.office, child, Role.PUPIL)
        courses.enrol(cast.office, cast.homeroom, child)
        made.append(child)
    return made


def at(minute: int) -> datetime:
    """That many minutes after nine, when the cast's first lesson begins."""
    return datetime(2026, 10, 13, 7, 0, tzinfo=UTC) + timedelta(minutes=minute)


def said(member: Any, code: str, minute: int = 10, **facts: Any) -> dict[str, Any]:
    return {"pupil": member.person.pk, "code": code, "recorded_at": at(minute).isoformat(), **facts}


def send(client: Client, cast: Cast, *marks: dict[str, Any], device: str = PHONE, base: int = 0) -> Any:
    body = {"device": device, "batch": "b-1", "base_version": base, "marks": list(marks)}
    return client.post(address(cast, "/marks"), data=body, content_type="application/json")
