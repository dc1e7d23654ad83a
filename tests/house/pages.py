"""Every address of the product, walked from the URLconf, with arguments of the cast."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

# allauth's and Django's own pages take care of themselves; static files and i18n are not pages of a school.
FOREIGN = ("account/", "i18n/")


@dataclass(frozen=True, slots=True)
class Page:
    """One pattern of the URLconf."""

    route: str
    name: str
    view: object

    @property
    def in_school(self) -> bool:
        return self.route.startswith("s/<slug:school>/")

    @property
    def is_open(self) -> bool:
        return bool(getattr(self.view, "open_to_all", False))


def pages() -> list[Page]:
    return sorted(_walk(get_resolver().url_patterns, ""), key=lambda page: page.route)


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Page]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif not route.startswith(FOREIGN) or "pupitre" in pattern.callback.__module__:
            yield Page(route, pattern.name or "", pattern.callback)


def address(page: Page, arguments: dict[str, object]) -> str:
    """The page's address with the arguments that its route names. KeyError names one that has no sample yet."""
    parts = []
    for part in page.route.split("/"):
        inner = part
        while "<" in inner:
            before, _, rest = inner.partition("<")
            named, _, after = rest.partition(">")
            inner = f"{before}{arguments[named.rpartition(':')[2]]}{after}"
        parts.append(inner)
    return "/" + "/".join(parts)
