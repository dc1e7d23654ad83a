"""Changing persons, roles, guardianships, accounts and how they sign in."""

from .accounts import appoint_inspector, choose_language, link_account, open_account
from .files import open_file, remove_photo, set_photo
from .looks import note_looks
from .persons import (
    add_person,
    change_guardianship,
    change_person,
    end_person,
    end_role,
    grant_role,
    make_guardian,
    register_person,
    return_person,
)
from .rosters import apply_people

__all__ = [
    "add_person",
    "apply_people",
    "appoint_inspector",
    "change_guardianship",
    "change_person",
    "choose_language",
    "end_person",
    "end_role",
    "grant_role",
    "link_account",
    "make_guardian",
    "note_looks",
    "open_account",
    "open_file",
    "register_person",
    "remove_photo",
    "return_person",
    "set_photo",
]
