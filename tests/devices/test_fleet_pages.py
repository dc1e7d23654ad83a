"""The school's pages of its fleet: how it stands, the list, one device."""

import pytest

from tests.cast import Cast
from tests.conftest import Visitor

PAGES = (
    "",
    "/list",
    "/proposals",
    "/enrolment",
    "/waiting",
    "/deliveries",
    "/assignment",
    "/classes",
)


@pytest.mark.parametrize("page", PAGES)
def test_who_cares_for_devices_opens_every_page(cast: Cast, visit: Visitor, page: str) -> None:
    for member in (cast.technician, cast.head, cast.secretary):
        assert visit.as_(member).get(f"/s/oak/devices{page}").status_code == 200
