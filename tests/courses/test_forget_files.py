"""The files of an import are deleted after a month; what it found and did is kept."""

from datetime import timedelta

import pytest

from pupitre.courses import jobs
from pupitre.courses.actions import rosters
from pupitre.courses.models import RosterImport
from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.courses.importing import checked, imported, office_of
from tests.courses.made_rosters import ONEROSTER_1_2
from tests.jobs import run_jobs


def test_old_files_are_deleted_and_their_reports_stay(
    cast: Cast, django_capture_on_commit_callbacks: object
) -> None:
    with scope(cast.other_school.id):
        record = imported(office_of(cast), ONEROSTER_1_2)
        key = record.file_key
        assert rosters.store().get(key)
    with clock.frozen(clock.now() + timedelta(days=31)), django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        jobs.sweep_files.func()
        run_jobs()
    with scope(cast.other_school.id):
        kept = RosterImport.objects.get(pk=record.pk)
        assert kept.file_key == ""
        assert kept.report["kinds"]["users"]["new"] == 3
        with pytest.raises(FileNotFoundError):
            rosters.store().get(key)


def test_files_that_a_younger_import_shares_stay(
    cast: Cast, django_capture_on_commit_callbacks: object
) -> None:
    with scope(cast.other_school.id):
        office = office_of(cast)
        old = imported(office, ONEROSTER_1_2)
        later = clock.now() + timedelta(days=31)
        with clock.frozen(later):
            young = checked(office, ONEROSTER_1_2)
        assert young.file_key == old.file_key
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            assert rosters.forget_files(office, before=later - timedelta(days=1)) == 1
        assert rosters.store().get(young.file_key)


def test_an_import_whose_files_are_gone_says_so(cast: Cast) -> None:
    with scope(cast.other_school.id):
        office = office_of(cast)
        record = checked(office, ONEROSTER_1_2)
        rosters.forget_files(office, before=clock.now() + timedelta(days=1))
        with pytest.raises(rosters.FilesGone):
            rosters.apply_import(office, record.pk, now=clock.now())
