"""A connection: made by the office, let in by its token only, narrowed to its scopes, shut out when revoked."""

from datetime import timedelta

import pytest

from pupitre.connections import actions, queries
from pupitre.connections.rules import NameMissing, NoScope, OutOfScope, Scope, presented
from pupitre.kernel import clock
from pupitre.kernel.errors import Denied, NotFound
from pupitre.tenancy.scoping import scope
from tests.cast import Cast


def made(cast: Cast, *scopes: Scope) -> tuple[int, str]:
    with scope(cast.school.id):
        row, secret = actions.open_connection(cast.office, name="Library", scopes=scopes, now=clock.now())
    return row.pk, secret


def test_a_secret_finds_its_connection_in_its_school_only(cast: Cast) -> None:
    id_, secret = made(cast, Scope.PEOPLE_READ)
    token = presented(secret)
    assert token is not None
    assert token.school_id == cast.school.id
    with scope(cast.school.id):
        found = queries.find_machine(token, clock.now())
    assert found is not None
    assert (found.connection_id, found.scopes) == (id_, {Scope.PEOPLE_READ})
    with pytest.raises(OutOfScope):
        found.require(Scope.PEOPLE_WRITE)
    with scope(cast.other_school.id):
        assert queries.find_machine(token, clock.now()) is None
    assert presented("Bearer") is None
    assert presented(secret[:-1]) is None


def test_access_lasts_an_hour_and_has_no_more_rights(cast: Cast) -> None:
    _, secret = made(cast, Scope.ONEROSTER, Scope.ONEROSTER_CORE)
    now = clock.now()
    with scope(cast.school.id):
        machine = queries.find_machine(presented(secret), now)  # type: ignore[arg-type]
        assert machine is not None
        access = presented(actions.give_access(cast.school.id, machine, [Scope.ONEROSTER_CORE], now=now))
        assert access is not None
        found = queries.find_machine(access, now)
        assert found is not None
        assert found.scopes == {Scope.ONEROSTER_CORE}
        assert queries.find_machine(access, now + timedelta(hours=1)) is None
        with pytest.raises(OutOfScope):
            actions.give_access(cast.school.id, machine, [Scope.SCIM], now=now)


def test_revoking_shuts_out_at_once(cast: Cast) -> None:
    id_, secret = made(cast, Scope.ONEROSTER)
    now = clock.now()
    with scope(cast.school.id):
        machine = queries.find_machine(presented(secret), now)  # type: ignore[arg-type]
        assert machine is not None
        access = presented(actions.give_access(cast.school.id, machine, [Scope.ONEROSTER], now=now))
        actions.revoke_connection(cast.office, id_, now=now)
        assert queries.find_machine(presented(secret), now) is None  # type: ignore[arg-type]
        assert queries.find_machine(access, now) is None  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            actions.revoke_connection(cast.office, id_, now=now)
        assert queries.connections_for(cast.office)[0].revoked_at == now


def test_only_the_office_makes_connections(cast: Cast) -> None:
    with scope(cast.school.id):
        with pytest.raises(Denied):
            actions.open_connection(cast.teacher.actor, name="x", scopes=[Scope.SCIM], now=clock.now())
        with pytest.raises(NameMissing):
            actions.open_connection(cast.office, name=" ", scopes=[Scope.SCIM], now=clock.now())
        with pytest.raises(NoScope):
            actions.open_connection(cast.office, name="x", scopes=[], now=clock.now())
        with pytest.raises(Denied):
            queries.connections_for(cast.teacher.actor)
