"""The text of notices: nothing is markup, addresses of the web become links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pupitre.messaging.rules.notices import Piece, first_words, paragraphs_of
from pupitre.messaging.rules.push import UnknownPushService, check_browser

P256DH, AUTH = "B" + "A" * 86, "A" * 22


def test_empty_lines_part_paragraphs_and_single_ones_break_lines() -> None:
    assert paragraphs_of("One\ntwo\r\n\r\n\nthree\n") == [
        [[Piece("One")], [Piece("two")]],
        [[Piece("three")]],
    ]


@pytest.mark.parametrize(
    ("line", "href"),
    [
        ("See https://a.example/x.", "https://a.example/x"),
        ("(http://a.example/x)", "http://a.example/x"),
        ("https://a.example/x_(y)!", "https://a.example/x_(y)"),
        ("HTTPS://A.example?q=1&r=2, please", "HTTPS://A.example?q=1&r=2"),
    ],
)
def test_a_link_ends_before_the_sentences_punctuation(line: str, href: str) -> None:
    [[pieces]] = paragraphs_of(line)
    assert [piece.href for piece in pieces if piece.href] == [href]


@pytest.mark.parametrize(
    "line", ["javascript:alert(1)", "data:text/html,x", "ftp://a.example", "www.a.example"]
)
def test_nothing_else_becomes_a_link(line: str) -> None:
    [[pieces]] = paragraphs_of(line)
    assert pieces == [Piece(line)]


@given(st.text(max_size=300))
def test_no_word_is_lost_or_added(body: str) -> None:
    told = "".join(piece.text for lines in paragraphs_of(body) for pieces in lines for piece in pieces)
    assert "".join(told.split()) == "".join(body.split())


@given(st.text(max_size=400))
def test_the_beginning_is_short(body: str) -> None:
    assert len(first_words(body, 140)) <= 140


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/x",
        "https://web.push.apple.com/x",
        "https://updates.push.services.mozilla.com/x",
    ],
)
def test_the_push_services_of_browsers_are_known(endpoint: str) -> None:
    check_browser(endpoint, P256DH, AUTH, own_host="school.example")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:9000/x",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://169.254.169.254/latest",
        "https://localhost/x",
        "file:///etc/passwd",
        "",
    ],
)
def test_no_other_address_is_taken(endpoint: str) -> None:
    with pytest.raises(UnknownPushService):
        check_browser(endpoint, P256DH, AUTH, own_host="school.example")


@pytest.mark.parametrize(("p256dh", "auth"), [("", AUTH), (P256DH, ""), ("AAAA", AUTH), (P256DH, "né")])
def test_keys_that_are_none_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(UnknownPushService):
        check_browser("https://web.push.apple.com/x", p256dh, auth, own_host="school.example")
