"""A fleet in a database of its own: devices, what policies say, finished commands by the million. Filled by SQL, kept between runs."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pupitre.kernel.embedded import EmbeddedPostgres, Urls

ROOT = Path(__file__).resolve().parents[1]
SECRET = "the fleet's secret, only for measuring, and long enough"


@dataclass(frozen=True)
class Size:
    """How large a fleet is."""

    name: str
    devices: int
    commands: int
    schools: int

    @property
    def home(self) -> Path:
        return ROOT / "var" / f"fleet-{self.name}"


SIZES = {
    "small": Size("small", 20_000, 200_000, 40),
    "full": Size("full", 500_000, 10_000_000, 500),
}
#: Classes with a policy of their own in each school.
CLASSES = 20
_DOCUMENT = """
jsonb_build_object('settings', jsonb_build_object('camera', {what} % 2 = 0, 'bluetooth', true, 'web',
  jsonb_build_object('mode', 'block', 'hosts', (SELECT jsonb_agg('host-' || h || '.example.org') FROM generate_series(1, 40) h))),
  'locked', '[]'::jsonb, 'why', '{}'::jsonb)
"""
_FILL = (
    (
        "INSERT INTO tenancy_authority (id, slug, name, country, locale, time_zone, requires_second_factor) "
        "VALUES (1, 'region', 'Region', 'ES', 'es', 'Europe/Madrid', false)"
    ),
    (
        "INSERT INTO tenancy_school (id, authority_id, slug, sourced_id, identifier, name, country, locale, time_zone, address, phone, "
        "email, settings_stamp) SELECT s, 1, 'school-' || s, '', '', 'School ' || s, 'ES', 'es', 'Europe/Madrid', '', '', '', "
        "gen_random_uuid() FROM generate_series(1, {schools}) s"
    ),
    "INSERT INTO devices_target (authority_id, level, whom, revision, document, changed_at) "
    "SELECT 1, 1, 1, nextval('devices_revision'), " + _DOCUMENT.replace("{what}", "1") + ", now()",
    "INSERT INTO devices_target (authority_id, level, whom, revision, document, changed_at) "
    "SELECT 1, 2, s, nextval('devices_revision'), "
    + _DOCUMENT.replace("{what}", "s")
    + ", now() FROM generate_series(1, {schools}) s",
    "INSERT INTO devices_target (authority_id, school_id, level, whom, revision, document, changed_at) "
    "SELECT 1, 1 + g % {schools}, 3, g, nextval('devices_revision'), "
    + _DOCUMENT.replace("{what}", "g")
    + ", now() "
    "FROM generate_series(0, {schools} * {classes} - 1) g",
    (
        "INSERT INTO devices_device (id, school_id, authority_id, number, serial, imei, asset_tag, name, platform, protocol, maker, model, "
        "standing, condition, groups, public_key, created_at, enrolled_at, search_key, notes) "
        "SELECT d, 1 + d % {schools}, 1, 'b-' || d, 'S' || d, '', '', '', 3, 2, 'Maker', 'Model', 3, 1, "
        "ARRAY[d % ({schools} * {classes})], sha256(convert_to('b-' || d, 'UTF8')), now(), now(), 's' || d, '' "
        "FROM generate_series(1, {devices}) d"
    ),
    (
        "INSERT INTO devices_devicestatus (school_id, authority_id, device_id, last_seen_at, seen_on, address, battery, is_charging, "
        "os_version, agent_version, storage_free, applied, problems) SELECT school_id, authority_id, id, now(), "
        "(now() AT TIME ZONE 'UTC')::date, '127.0.0.1', 80, false, 'Debian 13.1', '1.0', 80000000000, '1', '[]' FROM devices_device"
    ),
    (
        "INSERT INTO devices_command (school_id, device_id, verb, arguments, state, supersede_key, batch, created_at, not_before, expires_at, "
        "reason, attempts, sent_at, ended_at, result) SELECT 1 + d % {schools}, d, 4, '{\"text\": \"Bring the charger.\"}', 4, '', "
        "gen_random_uuid(), t, t, t + interval '1 day', '', 1, t, t, '{}' FROM (SELECT 1 + n % {devices} AS d, "
        "now() - n * interval '10 seconds' AS t FROM generate_series(1, {commands}) n) done"
    ),
)


def seeded_key(number: str) -> bytes:
    """What stands as the public key of a filled device."""
    return hashlib.sha256(number.encode()).digest()


@contextmanager
def filled(size: Size) -> Iterator[tuple[EmbeddedPostgres, Urls]]:
    """The running database with the fleet in it; filled where it is not yet."""
    size.home.mkdir(parents=True, exist_ok=True)
    with EmbeddedPostgres(size.home) as server:
        urls = server.ensure_roles_and_database()
        _migrate(size, urls)
        with server.superuser("pupitre") as connection:
            for name, value in (
                ("shared_buffers", "512MB"),
                ("max_wal_size", "4GB"),
                ("checkpoint_timeout", "15min"),
            ):
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            found = connection.execute("SELECT count(*) FROM devices_device").fetchone()
            assert found
            is_new = found[0] < size.devices
            if is_new:
                _fill(connection, size)
        if is_new:
            server.stop()
            server.start()
        yield server, urls


def _fill(connection: object, size: Size) -> None:
    run = connection.execute  # type: ignore[attr-defined]
    # Neither triggers nor references: this is what years of use leave behind, at once.
    run("SET session_replication_role = replica")
    run("BEGIN")
    numbers = {
        "schools": size.schools,
        "classes": CLASSES,
        "devices": size.devices,
        "commands": size.commands,
    }
    for one in _FILL:
        for name, number in numbers.items():
            one = one.replace("{" + name + "}", str(number))
        run(one)
    for table, column in (("device", "id"), ("devicestatus", "id"), ("command", "id"), ("target", "id")):
        run(
            f"SELECT setval(pg_get_serial_sequence('devices_{table}', '{column}'), (SELECT max({column}) FROM devices_{table}))"
        )
    run("COMMIT")
    run("SET session_replication_role = origin")
    run("VACUUM ANALYZE")
    run("CHECKPOINT")


def _migrate(size: Size, urls: Urls) -> None:
    sources = sorted(ROOT.glob("src/pupitre/*/migrations/*.py"))
    state = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    mark = size.home / "migrated"
    if mark.exists() and mark.read_text() == state:
        return
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")}
    environment |= {
        "PUPITRE_DATA_DIR": str(size.home),
        "PUPITRE_DATABASE_URL": urls.application,
        "PUPITRE_OWNER_DATABASE_URL": urls.owner,
        "PYTHONPATH": str(ROOT / "src"),
    }
    subprocess.run(
        [sys.executable, "-m", "pupitre.project.cli", "migrate"],
        env=environment,
        check=True,
        capture_output=True,
    )
