"""What is prepared before a start, and the doctor's eye for what is not."""

import gettext
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from pupitre.kernel import config
from pupitre.kernel.embedded import EmbeddedPostgres
from pupitre.project import catalogues, doctor

CATALOGUE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=n != 1;\\n"

msgid "Register"
msgstr "Lista"

#, fuzzy
msgid "Registers"
msgstr "Cajas"
"""


def test_a_catalogue_is_compiled_once_and_again_when_it_changed(tmp_path: Path) -> None:
    po = tmp_path / "attendance" / "locale" / "es" / "LC_MESSAGES" / "django.po"
    po.parent.mkdir(parents=True)
    po.write_text(CATALOGUE)
    assert catalogues.stale(tmp_path) == [po]
    assert catalogues.compile_stale(tmp_path) == 1
    assert catalogues.stale(tmp_path) == []
    assert catalogues.compile_stale(tmp_path) == 0
    with po.with_suffix(".mo").open("rb") as file:
        words = gettext.GNUTranslations(file)
    assert words.gettext("Register") == "Lista"
    assert words.gettext("Registers") == "Registers"
    later = po.stat().st_mtime + 5
    os.utime(po, (later, later))
    assert catalogues.stale(tmp_path) == [po]


def test_help_answers_without_waking_django() -> None:
    program = (
        "import sys\nfrom pupitre.project import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit('django' in sys.modules or 'psycopg' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(catalogues.SOURCE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for command in ("up", "import", "export", "demo", "doctor", "migrate", "web", "worker"):
        assert f"\n    {command} " in done.stdout


def test_the_doctor_names_a_table_that_is_open_to_every_school() -> None:
    folder = Path(tempfile.mkdtemp(prefix="pupitre-test-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder, durable=False, die_with_parent=True)
    server.start()
    urls = server.ensure_roles_and_database()
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        owner.execute("create table closed (school_id bigint)")
        owner.execute("alter table closed enable row level security, force row level security")
        owner.execute("create policy school on closed using (school_id = 1)")
        with psycopg.connect(urls.application, autocommit=True) as application:
            assert [line.verdict for line in doctor._protection_lines(application)] == ["ok"]
            owner.execute("create table open (school_id bigint)")
            owner.execute("create table unforced (like closed)")
            owner.execute("alter table unforced enable row level security")
            owner.execute("create policy school on unforced using (school_id = 1)")
            (line,) = doctor._protection_lines(application)
    assert line.verdict == "fail"
    assert line.found == "2 tables are open to every school: open, unforced"
    server.destroy()
    shutil.rmtree(folder)


def test_the_doctor_names_a_mail_server_that_does_not_answer(tmp_path: Path) -> None:
    settings = config.load({"PUPITRE_DATA_DIR": str(tmp_path), "PUPITRE_SMTP_URL": "smtp://127.0.0.1:1"})
    (line,) = doctor._mail_lines(settings)
    assert line.verdict == "fail"
    assert "127.0.0.1:1" in line.found
    assert "PUPITRE_SMTP_URL" in line.mend


def test_the_doctor_tries_storage_disk_and_time_zones_for_real(tmp_path: Path) -> None:
    settings = config.load({"PUPITRE_DATA_DIR": str(tmp_path)})
    lines = [*doctor._storage_lines(settings), *doctor._time_zone_lines(), *doctor._disk_lines(settings)]
    assert [line.subject for line in lines] == ["storage", "time zones", "disk"]
    assert lines[0].verdict == lines[1].verdict == "ok"
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []
