"""`pupitre appoint-inspector` and `pupitre appoint-fleet-manager`: who sees an authority's figures, or its devices."""

import argparse
import secrets
from typing import Final

from django.conf import settings

from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.people import actions as people
from pupitre.people.queries import accounts
from pupitre.project.cli import CommandError
from pupitre.tenancy import queries as tenancy

_PAGES: Final = {"inspector": "", "fleet-manager": "fleet/"}


def run_appoint(args: argparse.Namespace) -> int:
    """Appoint an account; with `--name`, one that is not there yet is opened, and its first password told once."""
    try:
        authority = tenancy.authority_at(args.authority)
    except NotFound:
        raise CommandError(f"There is no authority {args.authority!r}.") from None
    account, password = accounts.find_account(args.username), ""
    if account is None:
        if not args.name:
            raise CommandError(
                f"There is no account {args.username!r}. With --name 'Ada Puig' it is opened for her."
            )
        password = secrets.token_urlsafe(12)
        account = people.open_account(
            username=args.username, password=password, display_name=args.name, now=clock.now()
        )
    appoint = people.appoint_inspector if args.part == "inspector" else people.appoint_fleet_manager
    appoint(authority_id=authority.pk, account=account)
    print(f"{account}: {settings.CONFIG.base_url}/a/{authority.slug}/{_PAGES[args.part]}")
    if password:
        print(f"Her first password, told only now: {password}\nShe changes it at /account/password/change/.")
    return 0
