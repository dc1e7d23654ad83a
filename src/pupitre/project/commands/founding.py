"""`pupitre found`: an authority and a school, and the first person who may do everything else from its pages."""

import argparse
from zoneinfo import available_timezones

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.people import actions as people
from pupitre.people.rules import Role, system_actor
from pupitre.project.cli import CommandError
from pupitre.tenancy import actions as founding
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope


def run_found(args: argparse.Namespace) -> int:
    """Found the school; a second call brings it up to date with the facts that it names, and no others."""
    held = _held(args.school)
    args.name = args.name or (held.name if held else args.school.replace("-", " ").title())
    args.country = args.country or (held.country if held else "ES")
    args.time_zone = args.time_zone or (held.time_zone if held else "Europe/Madrid")
    args.language = args.language or (held.locale if held else "es")
    _check(args)
    with transaction.atomic():
        school = _school(args)
        link = _office(args, school) if args.office else ""
    print(f"{school.name}: {settings.CONFIG.base_url}/s/{school.slug}/")
    if link:
        print(f"Activation link of {args.office}, valid once and for a limited time:\n{link}")
    elif held is None:
        print(
            "Nobody can sign in to it yet: the same command with --office 'Ada Puig' invites a first person."
        )
    return 0


def _held(slug: str) -> SchoolFacts | None:
    try:
        return tenancy.access_school(slug)
    except NotFound:
        return None


def _check(args: argparse.Namespace) -> None:
    for slug in (args.authority, args.school):
        if slugify(slug) != slug:
            raise CommandError(f"{slug!r} is not a short name: use small letters, digits and hyphens.")
    if args.time_zone not in available_timezones():
        raise CommandError(f"{args.time_zone!r} is not a time zone, such as Europe/Madrid.")
    if args.language not in dict(settings.LANGUAGES):
        raise CommandError(
            f"{args.language!r} is none of the languages: {', '.join(dict(settings.LANGUAGES))}."
        )
    if len(args.country) != 2 or not args.country.isalpha():
        raise CommandError(f"{args.country!r} is not a country's two letters, such as ES.")


def _school(args: argparse.Namespace) -> SchoolFacts:
    where = {"country": args.country.upper(), "locale": args.language, "time_zone": args.time_zone}
    try:
        authority = tenancy.authority_at(args.authority)
    except NotFound:
        authority = founding.found_authority(
            slug=args.authority,
            name=args.authority_name or args.authority.replace("-", " ").title(),
            requires_second_factor=not args.without_second_factor,
            **where,
        )
    _refuse_another_authoritys(args.school, authority.pk)
    school = founding.found_school(
        authority,
        slug=args.school,
        name=args.name,
        identifier=args.code,
        sourced_id=args.sourced_id,
        **where,
    )
    return tenancy.facts_of(school)


def _refuse_another_authoritys(slug: str, authority_id: int) -> None:
    held = _held(slug)
    if held and held.authority_id != authority_id:
        raise CommandError(f"The short name {slug!r} is taken by a school of another authority.")


def _office(args: argparse.Namespace, school: SchoolFacts) -> str:
    given, _, family = args.office.strip().partition(" ")
    if not family:
        raise CommandError("--office wants a given and a family name, such as 'Ada Puig'.")
    now, actor = clock.now(), system_actor(school)
    with scope(school.id):
        try:
            sourced_id = f"office-{slugify(args.office)}"
            person = people.register_person(
                actor, sourced_id=sourced_id, given_name=given, family_name=family, now=now, email=args.email
            )
            people.grant_role(actor, person, Role.SECRETARY)
            (letter,) = people.issue_letters(actor, [person.pk], now=now)
        except DomainError as error:
            raise CommandError(f"{args.office}: {error}") from None
    return f"{settings.CONFIG.base_url}/s/{school.slug}/activation?code={letter.code}"
