"""What the frame around every page needs to know. The composition root fills it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A place in the navigation: its words, address and lucide icon."""

    label: str
    url: str
    icon: str
    current: bool = False
    badge: int | None = None


@dataclass(frozen=True, slots=True)
class SchoolLink:
    """A school that the reader can go to."""

    name: str
    url: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame's facts: who reads, where, in which language, and where she can go."""

    language: str
    languages: tuple[tuple[str, str], ...]
    home_url: str
    person_name: str = ""
    initials: str = ""
    school: SchoolLink | None = None
    schools: list[SchoolLink] = field(default_factory=list)
    navigation: tuple[NavigationItem, ...] = ()
    unread: int = 0
    unread_url: str = ""
    account_url: str = ""
    sign_out_url: str = ""
    sign_in_url: str = ""
    theme: str = "auto"
