"""What every test may ask for. The cast's comments are the access specification."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from hypothesis import HealthCheck, settings

from pupitre.kernel import clock
from pupitre.tenancy import queries as tenancy
from tests.cast import NOW, Cast, build_cast
from tests.database import migrated_copy, point_at

_CAST: list[Cast] = []

# How fast a machine is that does other things besides is nothing that a test may fail by.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """A copy of the migrated template, with the cast in it. Each test rolls its own changes back."""
    with migrated_copy(f"test_{os.getpid()}") as (application, _owner):
        with django_db_blocker.unblock():
            point_at(application)
            with clock.frozen(NOW):
                _CAST[:] = [build_cast()]
        yield
        with django_db_blocker.unblock():
            connections["default"].close()


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    """Two schools and their people, on a Tuesday at ten past nine, with a lesson under way."""
    tenancy.forget_schools()
    with clock.frozen(NOW):
        yield _CAST[0]


@pytest.fixture
def visit(cast: Cast) -> "Visitor":
    """`visit.as_(person)` is a browser in which that person has signed in."""
    return Visitor()


class Visitor:
    def as_(self, member: Any) -> Client:
        client = Client()
        client.force_login(member.account)
        return client

    def anonymous(self) -> Client:
        return Client()
