"""The doors contract: what lies behind a context's door is private to it.

Models, views, forms, urls, jobs and migrations are imported by their own context only. Others call its actions, queries
and rules. `reports` and `project` are no exception, but for urls, which the composition root includes by name.
"""

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck
from importlinter.application import output
from importlinter.domain import fields

PRIVATE = frozenset({"models", "views", "forms", "urls", "jobs", "migrations", "office_urls"})


class DoorsContract(Contract):
    """`contexts`: the packages that have doors. `shared`: modules that everybody may use all the same."""

    type_name = "doors"

    contexts = fields.ListField(subfield=fields.ModuleField())
    shared = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        contexts = [module.name for module in self.contexts]  # type: ignore[attr-defined]
        shared = set(self.shared or [])  # type: ignore[call-overload]
        broken = [
            (importer, module)
            for owner in contexts
            for module in sorted(graph.find_descendants(owner))
            if module not in shared and module.removeprefix(f"{owner}.").split(".")[0] in PRIVATE
            for importer in sorted(graph.find_modules_that_directly_import(module))
            if not importer.startswith(f"{owner}.")
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        broken: list[tuple[str, str]] = check.metadata["broken"]
        for importer, module in broken:
            output.print_error(
                f"{importer} imports {module}, which is private to its context. "
                "Call the context's actions, queries or rules instead.",
                bold=False,
            )


def registered() -> dict[str, Any]:
    return {"doors": "house.doors.DoorsContract"}
