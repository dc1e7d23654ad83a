"""The models and the migrations say the same."""

import io

from django.core.management import call_command

from tests.cast import Cast


def test_no_model_has_changed_without_a_migration(cast: Cast) -> None:
    out = io.StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=out)
    assert "No changes" in out.getvalue()
