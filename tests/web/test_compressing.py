"""Large pages go compressed to browsers that understand it, and their length does not tell what is in them."""

import gzip

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from pupitre.web.compressing import MOST_PADDING, SHORTEST, CompressMiddleware
from tests.cast import Cast
from tests.conftest import Visitor

LONG = b"<li>" + b"Pau Pupil " * SHORTEST


def answered(response: HttpResponse, accepts: str = "gzip, deflate, br") -> HttpResponse:
    request = RequestFactory().get("/", headers={"accept-encoding": accepts})
    return CompressMiddleware(lambda _: response)(request)


def test_a_browser_gets_a_page_compressed(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)
    plain = client.get("/family")
    packed = client.get("/family", headers={"accept-encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.content) < len(plain.content) / 2
    page = gzip.decompress(packed.content).decode()
    assert "Pau" in page
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert not plain.has_header("Content-Encoding")


def test_the_length_is_another_each_time() -> None:
    lengths = {len(answered(HttpResponse(LONG)).content) for _ in range(40)}
    assert len(lengths) > 5
    assert max(lengths) - min(lengths) < MOST_PADDING


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(b"short"),
        HttpResponse(LONG, content_type="image/png"),
        HttpResponse(LONG, headers={"Content-Encoding": "br"}),
        StreamingHttpResponse([LONG]),
    ],
)
def test_what_is_short_packed_already_or_streamed_goes_as_it_is(response: HttpResponse) -> None:
    before = response.headers.get("Content-Encoding")
    assert answered(response).headers.get("Content-Encoding") == before


def test_who_does_not_understand_it_gets_the_page_as_it_is() -> None:
    assert answered(HttpResponse(LONG), accepts="identity").content == LONG
