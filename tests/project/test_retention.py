"""What is older than its rule goes, with all that hangs on it and nothing else; broken-off work goes on the next night."""

import argparse
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, models

from pupitre.attendance.actions import figures
from pupitre.attendance.models import (
    AbsenceLetter,
    AbsenceNotice,
    Alert,
    DayFigure,
    KeptMonth,
    LessonMonth,
    Mark,
    MarkRevision,
    PupilMonth,
    Register,
    Reopening,
    SchoolDay,
    Threshold,
)
from pupitre.kernel import clock
from pupitre.kernel.scope import Scope, opening
from pupitre.kernel.storage import Storage
from pupitre.messaging.models import Delivery, Notice, Notification, Receipt
from pupitre.people.models import Invitation
from pupitre.project import doctor, jobs, retention
from pupitre.project.commands.retention import run_figures, run_retention
from pupitre.project.retention import Pace
from pupitre.tenancy import retention as batches
from pupitre.tenancy.models import Change, Upkeep
from pupitre.tenancy.scoping import scope
from pupitre.timetable.models import Substitution
from tests.attendance.office import everybody, past_register
from tests.cast import NOW, Cast
from tests.jobs import run_jobs

#: The running school year began on 1 September 2026; five before it are kept, and a month for years that began earlier.
CUTOFF = date(2021, 8, 1)
OLD, KEPT = CUTOFF - timedelta(days=1), CUTOFF
PACE = Pace(NOW + timedelta(hours=1), rest=0)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 8, tzinfo=UTC)


def counts(*tables: type[models.Model]) -> list[int]:
    return [table._base_manager.count() for table in tables]


def a_day(cast: Cast, on: date) -> Register:
    """A day of a pupil with everything that attendance keeps of it."""
    school, pupil = cast.school.id, cast.pupil.person
    register = past_register(cast, on, dict.fromkeys(everybody(cast), (2, 0)))
    shared: dict[str, Any] = {"school_id": school, "pupil": pupil}
    MarkRevision.objects.create(
        **shared, register=register, status=1, recorded_at=at(on), outcome=1, kept_at=at(on)
    )
    Reopening.objects.create(
        school_id=school, register=register, reopened_at=at(on), reason="x", closed_at=at(on)
    )
    Alert.objects.create(**shared, held_on=on, register=register, due_at=at(on))
    AbsenceNotice.objects.create(**shared, starts_at=at(on), ends_at=at(on), announced_at=at(on))
    threshold, _ = Threshold.objects.get_or_create(
        school_id=school, name="Five", counts=1, limit=5, letter_title="a", letter_body="b"
    )
    AbsenceLetter.objects.create(
        **shared, threshold=threshold, window_starts_on=on, count=5, number=1, created_at=at(on)
    )
    Substitution.objects.create(school_id=school, lesson=cast.lesson, held_on=on)
    notice = Notice.objects.create(
        school_id=school, title="T", body="B", created_at=at(on), published_at=at(on)
    )
    Receipt.objects.create(school_id=school, notice=notice, person=cast.mother.person)
    return register


OF_A_DAY = (
    Register, MarkRevision, Reopening, Alert, AbsenceNotice, AbsenceLetter, Substitution, Notice, Receipt, DayFigure,
)  # fmt: skip


def counted(cast: Cast) -> None:
    figures.refresh_days(cast.office, first=OLD, last=OLD)
    figures.refresh_days(cast.office, first=KEPT, last=KEPT)


def test_a_school_year_goes_whole_and_nothing_younger(cast: Cast) -> None:
    with scope(cast.school.id):
        a_day(cast, OLD)
        kept = a_day(cast, KEPT)
        counted(cast)
        assert counts(*OF_A_DAY) == [2] * len(OF_A_DAY)
        assert counts(Mark, PupilMonth, LessonMonth, KeptMonth) == [6, 6, 2, 2]
    told = retention.run_for_school(cast.school, NOW, PACE)
    assert told.is_complete
    assert told.rows["attendance_mark"] == 3
    with scope(cast.school.id):
        assert counts(*OF_A_DAY) == [1] * len(OF_A_DAY)
        assert counts(Mark, PupilMonth, LessonMonth, KeptMonth) == [3, 3, 1, 1]
        assert Register.objects.get().pk == kept.pk
        assert Alert.objects.get().held_on == AbsenceNotice.objects.get().ends_at.date() == KEPT
        assert {row.register_id for row in Mark.objects.all()} == {kept.pk}
        assert DayFigure.objects.get().held_on == Substitution.objects.get().held_on == KEPT
        # A school's day names nobody: a region may compare decades.
        assert SchoolDay.objects.count() == 2
    assert retention.run_for_school(cast.school, NOW, PACE).rows.total() == 0


def test_the_setting_says_how_many_years(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    with scope(cast.school.id):
        past_register(cast, date(2024, 10, 1), {cast.pupil.person.pk: (1, 0)})
        past_register(cast, date(2025, 10, 7), {cast.pupil.person.pk: (1, 0)})
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, keep_school_years=1))
    assert retention.run_for_school(cast.school, NOW, PACE).rows["attendance_register"] == 1
    with scope(cast.school.id):
        assert Register.objects.get().held_on == date(2025, 10, 7)


def test_one_school_does_not_touch_another(cast: Cast) -> None:
    with scope(cast.school.id):
        a_day(cast, OLD)
    assert retention.run_for_school(cast.other_school, NOW, PACE).rows.total() == 0
    with scope(cast.school.id):
        assert counts(*OF_A_DAY[:-1]) == [1] * (len(OF_A_DAY) - 1)


def test_what_goes_does_not_live_on_in_the_history(cast: Cast) -> None:
    with scope(cast.school.id):
        a_day(cast, OLD)
        before = Change.objects.filter(operation="D").count()
    retention.run_for_school(cast.school, NOW, PACE)
    with scope(cast.school.id):
        assert Change.objects.filter(operation="D").count() == before


def test_nobody_deletes_the_young_or_a_person_without_a_trace(cast: Cast) -> None:
    """Whoever speaks as the retention job passes the history by no more than the job needs."""
    with scope(cast.school.id):
        register = past_register(cast, NOW.date(), {cast.pupil.person.pk: (1, 0)})
        # Tests of two requests at once commit, and what they tidied up stays in the history.
        before = list(Change.objects.filter(operation="D").values_list("pk", flat=True))
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL pupitre.forgetting = 'on'")
            cursor.execute("DELETE FROM attendance_mark WHERE register_id = %s", [register.pk])
            cursor.execute("UPDATE people_person SET created_at = '2001-01-01'")
            cursor.execute("DELETE FROM people_guardianship WHERE pupil_id = %s", [cast.sister.person.pk])
        gone = (
            Change.objects.filter(operation="D").exclude(pk__in=before).values_list("table_name", flat=True)
        )
        assert sorted(gone) == ["attendance_mark", "people_guardianship", "people_guardianship"]


def documents(cast: Cast) -> list[str]:
    """Three: an old notice's own, one that an old and a young notice share, a young one's."""
    store = Storage(settings.CONFIG.storage_url)
    keys = [store.put(cast.school.id, "absence", word) for word in (b"old", b"shared", b"young")]
    with scope(cast.school.id):
        for on, key in ((OLD, keys[0]), (OLD, keys[1]), (KEPT, keys[1]), (KEPT, keys[2])):
            AbsenceNotice.objects.create(
                school_id=cast.school.id, pupil=cast.pupil.person, starts_at=at(on), ends_at=at(on), announced_at=at(on),
                document_key=key,
            )  # fmt: skip
    return keys


def test_documents_go_with_the_last_notice_that_holds_them(cast: Cast) -> None:
    store, keys = Storage(settings.CONFIG.storage_url), documents(cast)
    retention.run_for_school(cast.school, NOW, PACE)
    with pytest.raises(FileNotFoundError):
        store.get(keys[0])
    assert [store.get(key) for key in keys[1:]] == [b"shared", b"young"]
    with scope(cast.school.id):
        assert AbsenceNotice.objects.count() == 2


def test_a_document_that_is_gone_already_stops_nothing(cast: Cast) -> None:
    Storage(settings.CONFIG.storage_url).delete(documents(cast)[0])
    assert retention.run_for_school(cast.school, NOW, PACE).is_complete
    with scope(cast.school.id):
        assert AbsenceNotice.objects.count() == 2


def test_where_the_store_does_not_answer_the_rows_stay(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    documents(cast)
    with scope(cast.school.id):
        past_register(cast, OLD, {cast.pupil.person.pk: (1, 0)})
    nowhere = "s3://none/x?region=eu&endpoint=http://127.0.0.1:9&allow_http=true&access_key_id=a&secret_access_key=b"
    with monkeypatch.context() as patched:
        patched.setattr(settings, "CONFIG", replace(settings.CONFIG, storage_url=nowhere))
        patched.setattr(batches, "Storage", _Unanswering)
        told = retention.run_for_school(cast.school, NOW, PACE)
    assert not told.is_complete
    assert told.rows["attendance_register"] == 1  # the other rules went on
    with scope(cast.school.id):
        assert AbsenceNotice.objects.count() == 4
    assert retention.run_for_school(cast.school, NOW, PACE).is_complete


@dataclass
class _Unanswering:
    """A store in a network that is down."""

    url: str

    def delete(self, key: str) -> None:
        raise ConnectionRefusedError(key)


def test_notifications_go_by_whether_they_were_read(cast: Cast) -> None:
    with scope(cast.school.id):
        made = [
            Notification.objects.create(
                school_id=cast.school.id, person=cast.mother.person, account=cast.mother.account, kind=1,
                created_at=NOW - timedelta(days=age), read_at=None if read is None else NOW - timedelta(days=read),
            )
            for age, read in ((366, None), (364, None), (100, 91), (100, 89), (10, 5), (400, 1))
        ]  # fmt: skip
        for one in made:
            Delivery.objects.create(
                school_id=cast.school.id, notification=one, channel=1, address="a@b.example"
            )
    retention.run_for_school(cast.school, NOW, PACE)
    with scope(cast.school.id):
        kept = list(Notification.objects.order_by("id").values_list("id", flat=True))
        assert kept == [made[1].pk, made[3].pk, made[4].pk]
        assert (
            list(Delivery.objects.order_by("notification").values_list("notification_id", flat=True)) == kept
        )


def test_codes_that_ended_a_year_ago_go(cast: Cast) -> None:
    with scope(cast.school.id):
        for days in (366, 300):
            Invitation.objects.create(
                school_id=cast.school.id, person=cast.mother.person, code_digest=str(days), issued_at=NOW,
                expires_at=NOW - timedelta(days=days),
            )  # fmt: skip
    retention.run_for_school(cast.school, NOW, PACE)
    with scope(cast.school.id):
        assert Invitation.objects.get().code_digest == "300"


class Interrupted(Pace):
    """A night that is over after so many batches."""

    def __init__(self, batches: int) -> None:
        super().__init__(NOW, rest=0)
        self.left = batches

    @property
    def is_over(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_broken_off_work_goes_on_where_it_was(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    smaller = tuple(replace(rule, most=2) for rule in retention.RULES)
    monkeypatch.setattr(retention, "RULES", smaller)
    with scope(cast.school.id):
        for n in range(7):
            past_register(cast, OLD - timedelta(days=n), dict.fromkeys(everybody(cast), (1, 0)))
    told = retention.run_for_school(cast.school, NOW, Interrupted(2))
    assert not told.is_complete
    assert told.rows["attendance_register"] == 4
    with scope(cast.school.id):
        # The oldest go first, and never half a register.
        assert min(Register.objects.values_list("held_on", flat=True)) == OLD - timedelta(days=2)
        assert Mark.objects.count() == 9
    assert not Upkeep.objects.get(name=f"retention:{cast.school.id}").ended_at
    assert retention.run_for_school(cast.school, NOW, PACE).rows["attendance_register"] == 3
    assert Upkeep.objects.get(name=f"retention:{cast.school.id}").ended_at == NOW


def test_a_night_visits_every_school_once_the_longest_waiting_first(cast: Cast) -> None:
    with scope(cast.school.id):
        a_day(cast, OLD)
    Upkeep.objects.create(name=f"retention:{cast.school.id}", began_at=NOW, ended_at=NOW - timedelta(days=1))
    jobs.sweep_retention.func(timestamp=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (args ->> 'school_id')::bigint, lock FROM procrastinate_jobs "
            "WHERE task_name LIKE '%%forget_old' ORDER BY id"
        )
        night = f"retention:{NOW:%Y-%m-%d}"
        assert cursor.fetchall() == [(cast.other_school.id, night), (cast.school.id, night)]
    run_jobs()
    with scope(cast.school.id):
        assert Register.objects.count() == 0
    assert Upkeep.objects.filter(name__startswith="retention", ended_at=NOW).count() == 3


def test_a_job_that_comes_too_late_leaves_it_to_the_next_night(cast: Cast) -> None:
    with scope(cast.school.id):
        a_day(cast, OLD)
    jobs.forget_old.func(school_id=cast.school.id, until=(NOW - timedelta(minutes=1)).isoformat())
    with scope(cast.school.id):
        assert Register.objects.count() == 1
    assert not Upkeep.objects.exists()


def asked(**options: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"dry_run": False, "school": "", "minutes": 10, "fast": True, **options})


def test_the_command_says_what_would_go_and_does_it(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    with scope(cast.school.id):
        a_day(cast, OLD)
        a_day(cast, KEPT)
    run_retention(asked(dry_run=True))
    told = capsys.readouterr().out
    lines = {line.split()[1]: int(line.split()[0]) for line in told.splitlines() if "_" in line}
    assert lines["attendance_mark"] == 3
    assert lines["messaging_receipt"] == 1
    with scope(cast.school.id):
        assert Register.objects.count() == 2
    run_retention(asked(school="elm"))
    assert "0  rows were deleted." in capsys.readouterr().out
    run_retention(asked())
    done = capsys.readouterr().out
    assert {line.split()[1]: int(line.split()[0]) for line in done.splitlines() if "_" in line} == lines
    with scope(cast.school.id):
        assert Register.objects.get().held_on == KEPT


def test_the_command_counts_months_that_never_were(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    with scope(cast.school.id):
        for month in (4, 5, 9, 10):
            past_register(cast, date(2026, month, 6), {cast.pupil.person.pk: (2, 0)})
    run_figures(argparse.Namespace(school=""))
    assert capsys.readouterr().out == "3 months were counted.\n"
    run_figures(argparse.Namespace(school="oak"))
    assert capsys.readouterr().out == "0 months were counted.\n"
    with scope(cast.school.id):
        assert PupilMonth.objects.filter(absent=1).count() == 3


def test_sessions_jobs_and_counts_of_the_installation(cast: Cast) -> None:
    for key, days in (("expired", -1), ("alive", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=NOW + timedelta(days=days))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO web_cache VALUES ('a', '', %s), ('b', '', %s)",
            [NOW - timedelta(1), NOW + timedelta(1)],
        )
        for lock, days, status in (("old", 15, "failed"), ("young", 13, "failed"), ("waiting", 99, "todo")):
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status) "
                "VALUES ('q', 't', %s, '{}', %s) RETURNING id",
                [lock, status],
            )
            job = cursor.fetchone()[0]
            cursor.execute("DELETE FROM procrastinate_events WHERE job_id = %s", [job])
            kind = "deferred" if status == "todo" else status
            cursor.execute(
                "INSERT INTO procrastinate_events (job_id, type, at) VALUES (%s, %s, %s)",
                [job, kind, NOW - timedelta(days=days)],
            )
    told = retention.run_for_installation(NOW, PACE)
    assert told.is_complete
    assert set(Session.objects.values_list("session_key", flat=True)) & {"expired", "alive"} == {"alive"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT lock FROM procrastinate_jobs WHERE queue_name = 'q' ORDER BY lock")
        assert cursor.fetchall() == [("waiting",), ("young",)]
        cursor.execute("SELECT cache_key FROM web_cache WHERE cache_key IN ('a', 'b')")
        assert cursor.fetchall() == [("b",)]


def test_months_too_old_are_named_before_they_go(cast: Cast) -> None:
    far = batches.Ages(NOW + timedelta(days=365 * 10), date.min)
    names = [part.name for kept in retention.MONTHS for part in batches.due_months(kept, far)]
    assert "people_look_before" in names
    assert "tenancy_change_before" in names
    assert [
        part for kept in retention.MONTHS for part in batches.due_months(kept, retention.ages_of(NOW))
    ] == []
    assert batches.partitions_of("people_look")[-1].ends_at is None


def test_a_clock_that_runs_ahead_deletes_nothing(cast: Cast) -> None:
    with scope(cast.school.id):
        a_day(cast, KEPT)
    far = NOW + timedelta(days=365 * 10)
    with clock.frozen(far):
        told = retention.run_for_school(cast.school, far, Pace(far + timedelta(hours=1), rest=0))
    assert told.rows.total() == 0


@pytest.mark.parametrize(
    ("now", "months", "then"),
    [
        (datetime(2026, 3, 31, 5, tzinfo=UTC), 1, datetime(2026, 2, 28, 5, tzinfo=UTC)),
        (datetime(2026, 1, 15, tzinfo=UTC), 24, datetime(2024, 1, 15, tzinfo=UTC)),
        (datetime(2026, 1, 15, tzinfo=UTC), 1, datetime(2025, 12, 15, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), 12, datetime(2027, 2, 28, tzinfo=UTC)),
    ],
)
def test_months_are_counted_back(now: datetime, months: int, then: datetime) -> None:
    assert batches.Ages(now, date.min).months_ago(months) == then


def test_who_would_wait_for_a_lock_gives_up_until_the_next_night(cast: Cast) -> None:
    far = NOW + timedelta(days=365 * 20)  # its months have to be made, in the way of whoever reads
    connection.ensure_connection()
    with psycopg.connect(
        **{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}
    ) as reader:
        reader.pgconn.exec_(opening(Scope()))
        reader.execute("SELECT count(*) FROM people_look")
        assert not retention.run_for_installation(far, Pace(far + timedelta(hours=1), rest=0)).is_complete
    assert Upkeep.objects.get(name="retention").ended_at is None


@pytest.fixture
def raw(cast: Cast) -> psycopg.Connection[Any]:
    connection.ensure_connection()
    found: psycopg.Connection[Any] = connection.connection
    return found


def test_the_doctor_tells_when_it_has_not_run(cast: Cast, raw: psycopg.Connection[Any]) -> None:
    assert doctor._retention_line(raw).verdict == "ok"  # the installation is of today
    real = datetime.now(UTC)
    Upkeep.objects.create(name="retention", began_at=real - timedelta(days=4))
    with clock.frozen(real):
        line = doctor._retention_line(raw)
        assert (line.verdict, "last ran on" in line.found) == ("warn", True)
        assert "pupitre retention" in line.mend
        Upkeep.objects.update(began_at=real)
        assert doctor._retention_line(raw).verdict == "ok"


def test_the_doctor_looks_whether_months_lie_ready(cast: Cast, raw: psycopg.Connection[Any]) -> None:
    assert [line.verdict for line in doctor._month_lines(raw)] == ["ok"]
    with scope(cast.school.id), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_look (school_id, looked_at, actor_name, subject_id, what, reason) "
            "VALUES (%s, '2061-01-01', '', %s, 1, '')",
            [cast.school.id, cast.pupil.person.pk],
        )
    line = next(iter(doctor._month_lines(raw)))
    assert (line.verdict, "people_look" in line.found) == ("warn", True)
