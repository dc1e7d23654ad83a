"""A prefix lookup that row-level security can run on an index.

Django's `startswith` becomes LIKE, which is not leakproof: under a policy it is evaluated in every row of the table.
PostgreSQL's `^@` is leakproof and uses a btree index in the C collation.
"""

from typing import Any

from django.db.models import CharField, Lookup, TextField


@TextField.register_lookup
@CharField.register_lookup
class StartsWithC(Lookup[Any]):
    lookup_name = "startswith_c"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} ^@ {right}", (*left_params, *right_params)
