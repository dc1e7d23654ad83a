"""What a school is to the rest of the code: plain facts without the database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchoolFacts:
    """A school as pages, actions and jobs carry it around. `time_zone` is an IANA name, `locale` one of the six."""

    id: int
    slug: str
    name: str
    country: str
    locale: str
    time_zone: str
    authority_id: int
    requires_second_factor: bool
