"""Changing persons, roles, guardianships, accounts and how they sign in."""

from .accounts import appoint_fleet_manager, appoint_inspector, choose_language, link_account, open_account
from .cards import issue_cards, revoke_card, try_pictures
from .files import open_file, remove_photo, set_photo
from .invitations import (
    activate_account,
    ask_for_link,
    invite_by_mail,
    issue_letters,
    link_by_code,
    recover_account,
)
from .looks import note_looks, note_reading
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
    "activate_account",
    "add_person",
    "apply_people",
    "appoint_fleet_manager",
    "appoint_inspector",
    "ask_for_link",
    "change_guardianship",
    "change_person",
    "choose_language",
    "end_person",
    "end_role",
    "grant_role",
    "invite_by_mail",
    "issue_cards",
    "issue_letters",
    "link_account",
    "link_by_code",
    "make_guardian",
    "note_looks",
    "note_reading",
    "open_account",
    "open_file",
    "recover_account",
    "register_person",
    "remove_photo",
    "return_person",
    "revoke_card",
    "set_photo",
    "try_pictures",
]
