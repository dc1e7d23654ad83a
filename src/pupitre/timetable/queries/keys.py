"""Which row the name means that a lesson brought along."""

from pupitre.people.rules import OFFICE, Actor, require
from pupitre.timetable.models import Lesson


def lesson_keys(actor: Actor) -> dict[str, tuple[int, int]]:
    """The id and the class's id of every lesson that came from elsewhere, by its source. For bringing records too."""
    require(actor, OFFICE)
    rows = Lesson.objects.exclude(source="").values_list("source", "id", "klass_id")
    return {source: (lesson_id, class_id) for source, lesson_id, class_id in rows}
