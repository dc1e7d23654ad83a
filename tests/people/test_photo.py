"""Photos: small, without what the camera wrote into them, and for those who may know the person."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from pupitre.people.models import Person
from pupitre.people.photos import SIDE, UnfitPhoto, small_photo
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.conftest import Visitor


def camera(size: tuple[int, int] = (1200, 900), kind: str = "JPEG", colour: str = "teal") -> bytes:
    """A photo with the place where it was taken, as a phone writes it."""
    written, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "SECRET CAMERA"
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    image = Image.new("RGB", size, colour)
    image.save(written, kind, exif=exif, comment=b"SECRET COMMENT") if kind == "JPEG" else image.save(
        written, kind
    )
    return written.getvalue()


def upload(browser: Any, person: Person, data: bytes) -> Any:
    file = SimpleUploadedFile("me.jpg", data, "image/jpeg")
    return browser.post(f"/s/oak/people/{person.pk}/photo", {"photo": file})


@pytest.fixture
def photo(cast: Cast, visit: Visitor) -> str:
    assert upload(visit.as_(cast.secretary), cast.pupil.person, camera()).status_code == 303
    return f"/s/oak/people/{cast.pupil.person.pk}/photo"


def test_a_photo_becomes_small_and_loses_what_the_camera_wrote() -> None:
    made = small_photo(io.BytesIO(camera()))
    assert b"SECRET" not in made
    with Image.open(io.BytesIO(made)) as image:
        assert image.size == (SIDE, SIDE)
        assert not image.getexif()
        assert image.format == "JPEG"
    assert len(made) < 40_000


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_formats_become_a_jpeg(kind: str) -> None:
    with Image.open(io.BytesIO(small_photo(io.BytesIO(camera(kind=kind))))) as image:
        assert image.format == "JPEG"


@pytest.mark.parametrize("data", [b"", b"<svg onload='x'>", b"GIF89a" + b"0" * 100, camera()[:500]])
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    with pytest.raises(UnfitPhoto):
        small_photo(io.BytesIO(data))


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    written = io.BytesIO()
    Image.new("1", (10_000, 9_000)).save(written, "PNG")
    with pytest.raises(UnfitPhoto):
        small_photo(io.BytesIO(written.getvalue()))


@pytest.mark.parametrize("member", ["teacher", "secretary", "pupil", "mother", "father"])
def test_who_may_know_the_pupil_sees_the_photo(cast: Cast, visit: Visitor, photo: str, member: str) -> None:
    answer = visit.as_(getattr(cast, member)).get(photo)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "private, max-age=3600"


@pytest.mark.parametrize("member", ["classmate", "barred", "stranger"])
def test_nobody_else_does(cast: Cast, visit: Visitor, photo: str, member: str) -> None:
    assert visit.as_(getattr(cast, member)).get(photo).status_code == 404


def test_a_photo_of_another_school_is_not_there_under_ones_own(
    cast: Cast, visit: Visitor, photo: str
) -> None:
    assert visit.as_(cast.stranger).get(photo.replace("/oak/", "/elm/")).status_code == 404
    assert visit.anonymous().get(photo).status_code == 302


def test_the_browser_is_told_that_nothing_changed(cast: Cast, visit: Visitor, photo: str) -> None:
    browser = visit.as_(cast.teacher)
    tag = browser.get(photo).headers["ETag"]
    assert browser.get(photo, headers={"If-None-Match": tag}).status_code == 304


def test_only_the_office_uploads(cast: Cast, visit: Visitor) -> None:
    for member, status in ((cast.teacher, 403), (cast.mother, 403), (cast.pupil, 403), (cast.stranger, 404)):
        assert upload(visit.as_(member), cast.pupil.person, camera()).status_code == status
    with scope(cast.school.id):
        assert Person.objects.get(pk=cast.pupil.person.pk).photo_key == ""


def test_no_photo_is_told(cast: Cast, visit: Visitor) -> None:
    answer = upload(visit.as_(cast.secretary), cast.pupil.person, b"not a photo")
    assert answer.status_code == 422
    assert "cannot be read as a photo" in answer.content.decode()


def test_a_photo_is_let_go(cast: Cast, visit: Visitor, photo: str) -> None:
    browser = visit.as_(cast.secretary)
    assert "/photo" in browser.get("/s/oak/people?q=pau").content.decode()
    browser.post(photo, {"remove": "1"})
    assert browser.get(photo).status_code == 404
