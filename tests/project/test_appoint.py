"""`pupitre appoint-...`: the operator says who sees an authority's figures or devices."""

import argparse
import re

import pytest
from django.test import Client

from pupitre.people.models import AuthorityMembership
from pupitre.people.rules import Role
from pupitre.project.cli import CommandError, _parser
from pupitre.project.commands.appointing import run_appoint
from tests.cast import Cast


def typed(*words: str) -> argparse.Namespace:
    return _parser().parse_args(words)


def test_an_account_that_is_there_is_appointed_once(cast: Cast) -> None:
    for _ in range(2):
        assert run_appoint(typed("appoint-fleet-manager", "valley", "Secretary")) == 0
    rows = AuthorityMembership.objects.filter(account=cast.secretary.account)
    assert [(row.authority_id, row.role) for row in rows] == [(cast.authority.pk, Role.FLEET_MANAGER)]


def test_a_new_account_is_opened_and_its_password_told(
    cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_appoint(typed("appoint-inspector", "valley", "ada", "--name", "Ada Puig")) == 0
    told = capsys.readouterr().out
    password = re.search(r"only now: (\S+)", told)
    assert "/a/valley/" in told
    assert password is not None
    assert Client().login(username="ada", password=password[1])


@pytest.mark.parametrize("words", [("nowhere", "secretary"), ("valley", "nobody")])
def test_what_is_not_there_is_said(cast: Cast, words: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        run_appoint(typed("appoint-fleet-manager", *words))
