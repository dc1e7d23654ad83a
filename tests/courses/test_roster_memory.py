"""What a roster said last is remembered by kinds; what was remembered row by row before is taken over."""

from pupitre.courses.models import RosterMemory, RosterRow
from pupitre.courses.queries import rosters as queries
from pupitre.people.models import Person
from pupitre.tenancy.models import Change
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.courses.importing import checked, imported, office_of, sums
from tests.courses.made_rosters import ONEROSTER_1_2, changed


def _as_before(school: int) -> None:
    """The memory as an older version left it: a row for each."""
    for kind, data in RosterMemory.objects.values_list("kind", "packed"):
        for key, (says, ended, ids) in queries.unpacked(bytes(data)).items():
            facts = {"says": says, "ended": ended, "ids": ids}
            RosterRow.objects.create(school_id=school, kind=kind, sourced_id=key, facts=facts)
    RosterMemory.objects.all().delete()


def test_a_memory_of_rows_is_taken_over_whole(cast: Cast) -> None:
    school = cast.other_school.id
    with scope(school):
        imported(office_of(cast), ONEROSTER_1_2)
        before = queries.last_said()
        _as_before(school)
        assert queries.last_said() == before
        assert checked(office_of(cast), ONEROSTER_1_2).plan["nothing"]
        record = imported(office_of(cast), changed(ONEROSTER_1_2, "users.csv", "Aina,Puig", "Anna,Puig"))
        assert sums(record)["changed"] == 1
        after = queries.last_said()
        assert RosterRow.objects.count() == 0
        assert {kind: rows.keys() for kind, rows in after.rows.items()} == {
            kind: rows.keys() for kind, rows in before.rows.items()
        }
        assert checked(office_of(cast), changed(ONEROSTER_1_2, "users.csv", "Aina,Puig", "Anna,Puig")).plan[
            "nothing"
        ]


def test_many_new_rows_leave_the_same_history_as_one(cast: Cast) -> None:
    with scope(cast.other_school.id):
        imported(office_of(cast), ONEROSTER_1_2)
        person = Person.objects.get(sourced_id="p1")
        found = Change.objects.filter(subject_id=person.pk).order_by("id")
        kept = {(c.table_name, c.operation) for c in found}
        assert {("people_person", "I"), ("people_membership", "I"), ("courses_enrolment", "I")} <= kept
        first = found.get(table_name="people_person")
        assert (first.row_id, first.school_id, first.before) == (person.pk, cast.other_school.id, None)
        assert first.after is not None
        assert first.after["family_name"] == "Puig"
        Person.objects.filter(pk=person.pk).update(phone="+34 1")
        last = Change.objects.filter(table_name="people_person", row_id=person.pk).latest("id")
        assert (last.operation, last.after) == ("U", {"phone": "+34 1"})
