"""The tenant scope: the one sentence that sets it, and what it may be.

Three settings are read by the row-level security policies. They are always set together and only for one transaction.
`0` means none. Where they were never set, or are empty as PostgreSQL leaves them after a transaction that set them, the
policies' cast to bigint raises: a query outside a scope fails closed instead of returning nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a transaction may see: one school's, and besides one account's own and one authority's figures."""

    school: int = 0
    account: int = 0
    authority: int = 0


def sentence(scope: Scope | None) -> bytes:
    """What sets the scope for the current transaction, or unsets it. Integers only: nothing can be slipped in.

    SET is no query: the server does not plan it, and it costs two thirds of what a SELECT of set_config costs.
    """
    values = ("", "", "") if scope is None else (int(scope.school), int(scope.account), int(scope.authority))
    return (
        (
            "SET LOCAL pupitre.school = '{}'; SET LOCAL pupitre.account = '{}'; SET LOCAL pupitre.authority = '{}'"
        )
        .format(*values)
        .encode()
    )


def opening(scope: Scope) -> bytes:
    """The transaction's first message: BEGIN and the scope in one round trip (docs/decisions/0003-scope.md)."""
    return b"BEGIN; " + sentence(scope)


def gateway_opening() -> bytes:
    """The first message of the device gateway's transaction: it sees the fleet's tables of all schools, and no other row."""
    return opening(Scope()) + b"; SET LOCAL pupitre.gateway = 'on'"
