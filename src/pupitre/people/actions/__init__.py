"""Changing persons, roles, guardianships, accounts and how they sign in."""

from .accounts import appoint_inspector, link_account, open_account
from .looks import note_looks
from .persons import grant_role, make_guardian, register_person
from .rosters import apply_people

__all__ = [
    "apply_people",
    "appoint_inspector",
    "grant_role",
    "link_account",
    "make_guardian",
    "note_looks",
    "open_account",
    "register_person",
]
