"""Opening people's files, and their photos."""

from datetime import date, datetime
from typing import BinaryIO

from django.conf import settings
from django.db import transaction

from pupitre.kernel.errors import Denied
from pupitre.kernel.storage import Storage
from pupitre.people.models import Person
from pupitre.people.photos import small_photo
from pupitre.people.queries import access_person, files
from pupitre.people.queries.reach import openable
from pupitre.people.rules import READS_FILES, Actor, LookAt, require

from .looks import note_looks


@transaction.atomic
def open_file(actor: Actor, person_id: int, *, today: date, now: datetime) -> files.PersonFile:
    """Read a person's file. The look is kept in the same transaction: there is no reading without it.

    Raises Denied where a teacher neither teaches the pupil nor a pupil of the guardian.
    """
    require(actor, READS_FILES)
    person = access_person(actor, person_id)
    if not openable(actor, [person.pk], today):
        raise Denied
    note_looks(actor, [person.pk], LookAt.FILE, now=now)
    return files.file_of(actor, person, today=today, now=now)


@transaction.atomic
def set_photo(actor: Actor, person_id: int, file: BinaryIO) -> Person:
    """Keep a person's photo, small and without metadata. Raises UnfitPhoto. The old one is let go."""
    person = files.access_person_for_office(actor, person_id)
    data = small_photo(file)
    key = Storage(settings.CONFIG.storage_url).put(actor.place.id, "photos", data)
    if key != person.photo_key:
        _let_go(person)
    person.photo_key = key
    person.save(update_fields=["photo_key"])
    return person


@transaction.atomic
def remove_photo(actor: Actor, person_id: int) -> Person:
    """Let a person's photo go."""
    person = files.access_person_for_office(actor, person_id)
    _let_go(person)
    person.photo_key = ""
    person.save(update_fields=["photo_key"])
    return person


def _let_go(person: Person) -> None:
    """Delete the object after the transaction, unless another person's row holds the same picture."""
    key = person.photo_key
    if key and not Person.objects.filter(photo_key=key).exclude(pk=person.pk).exists():
        transaction.on_commit(lambda: Storage(settings.CONFIG.storage_url).delete(key))
