"""What holds for every page: the anonymous are turned away, and a stranger learns nothing, not even that it exists."""

import pytest
from django.test import Client

from tests.cast import TODAY, Cast
from tests.conftest import Visitor
from tests.house.pages import Page, address, pages

IN_SCHOOL = [page for page in pages() if page.in_school]


def sample_arguments(cast: Cast) -> dict[str, object]:
    """An argument for every name that a route uses. A new name wants a line here."""
    return {
        "school": cast.school.slug,
        "authority": cast.authority.slug,
        "person": cast.pupil.person.pk,
        "pupil": cast.pupil.person.pk,
        "guardian": cast.mother.person.pk,
        "lesson": cast.lesson.pk,
        "on": TODAY.isoformat(),
        "klass": cast.klass.pk,
        "class_id": cast.klass.pk,
        "page": "registers",
        "batch": "6f1c2b0e-5b0a-4f43-9d0e-0f5f6c1f7a11",
    }


def where(page: Page, cast: Cast) -> str:
    arguments = sample_arguments(cast)
    names = {part.partition(">")[0].rpartition(":")[2] for part in page.route.split("<")[1:]}
    # What the cast has no row of is asked for by a number that does not exist: it must be as absent as another's.
    return address(page, {**dict.fromkeys(names, 999999), **arguments})


def ids(page: Page) -> str:
    return page.route


@pytest.mark.parametrize("page", IN_SCHOOL, ids=ids)
def test_the_anonymous_are_sent_to_sign_in(page: Page, cast: Cast) -> None:
    if page.is_open:
        pytest.skip("open to all: has tests of its own")
    for answer in (Client().get(where(page, cast)), Client().post(where(page, cast))):
        assert answer.status_code in {302, 401}
        assert "/account/login" in answer.headers.get("Location", "/account/login")


@pytest.mark.parametrize("page", IN_SCHOOL, ids=ids)
def test_a_stranger_finds_nothing(page: Page, cast: Cast, visit: Visitor) -> None:
    if page.is_open:
        pytest.skip("open to all: has tests of its own")
    browser = visit.as_(cast.stranger)
    for answer in (browser.get(where(page, cast)), browser.post(where(page, cast))):
        assert answer.status_code == 404
        assert cast.pupil.person.given_name not in answer.content.decode(errors="replace")


@pytest.mark.parametrize("page", IN_SCHOOL, ids=ids)
def test_no_page_breaks_for_anybody_of_the_school(page: Page, cast: Cast, visit: Visitor) -> None:
    for member in (cast.head, cast.secretary, cast.teacher, cast.pupil, cast.mother, cast.barred):
        answer = visit.as_(member).get(where(page, cast))
        assert answer.status_code in {200, 204, 302, 303, 304, 400, 403, 404, 405, 409, 422}, (member, answer)
