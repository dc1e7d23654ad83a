"""A connection's client, and arranging for tests of the API."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from pupitre.connections import actions
from pupitre.connections.rules import Scope
from pupitre.kernel import clock
from pupitre.people.rules import system_actor
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope


@dataclass
class Machine:
    """Another system: its secret, and requests by it."""

    id: int
    secret: str
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Make a request below /api/v1; `headers` have `_` for `-`."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        told.setdefault("Authorization", f"Bearer {self.secret}")
        data = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method, f"/api/v1{path}", data, content_type="application/json", headers=told
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, **headers)

    def every(self, path: str, limit: int = 3) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            sign = "&" if "?" in path else "?"
            page = self.get(f"{path}{sign}limit={limit}{cursor}").json()
            found += page["items"]
            if page["next"] is None:
                return found
            assert len(page["items"]) == limit
            cursor = f"&cursor={page['next']}"


def connected(school: SchoolFacts, *scopes: Scope) -> Machine:
    """A new connection of the school, with all scopes where none is named."""
    with scope(school.id):
        row, secret = actions.open_connection(
            system_actor(school), name="Tests", scopes=scopes or list(Scope), now=clock.now()
        )
    return Machine(row.pk, secret)
