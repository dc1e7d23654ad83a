"""Settings are read once, and all wrong ones are refused at once."""

import base64
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pupitre.kernel import config

ROOT = Path(__file__).resolve().parents[2]


def problems_of(environ: dict[str, str], *, needs_owner: bool = False) -> dict[str, config.Problem]:
    with pytest.raises(config.ConfigurationError) as raised:
        config.load(environ, needs_owner=needs_owner)
    return {problem.name: problem for problem in raised.value.problems}


def test_without_any_setting_there_is_a_whole_configuration(tmp_path: Path) -> None:
    found = config.load({"PUPITRE_DATA_DIR": str(tmp_path / "data")})
    assert (found.host, found.port, found.base_url) == ("127.0.0.1", 8000, "http://localhost:8000")
    assert found.database_url is None
    assert found.storage_url == (tmp_path / "data" / "objects").as_uri()
    assert found.smtp is None
    assert found.demo
    assert not found.debug


def test_the_data_folder_is_in_the_checkout_when_not_named() -> None:
    assert config._default_data_dir({"HOME": "/people/ana"}) == ROOT / "var"


def test_the_address_follows_host_and_port(tmp_path: Path) -> None:
    environ = {"PUPITRE_DATA_DIR": str(tmp_path), "PUPITRE_HOST": "0.0.0.0", "PUPITRE_PORT": "9000"}
    assert config.load(environ).base_url == "http://localhost:9000"
    assert config.load({**environ, "PUPITRE_BASE_URL": "https://a.example/"}).base_url == "https://a.example"


def test_devices_are_told_the_public_address_or_the_gateways_own_port(tmp_path: Path) -> None:
    environ = {"PUPITRE_DATA_DIR": str(tmp_path), "PUPITRE_HOST": "0.0.0.0", "PUPITRE_PORT": "9000"}
    assert config.load(environ).gateway_url == "http://localhost:9001"
    for base, told in (
        ("https://a.example", "https://a.example"),
        ("http://school.lan:9000", "http://school.lan:9001"),
        ("http://[::1]:9000", "http://[::1]:9001"),
    ):
        assert config.load({**environ, "PUPITRE_BASE_URL": base}).gateway_url == told
    assert (
        config.load({**environ, "PUPITRE_GATEWAY_URL": "https://d.example"}).gateway_url
        == "https://d.example"
    )
    assert config.load({**environ, "PUPITRE_PORT": "65535"}).gateway_port == 65534


def test_all_wrong_settings_are_named_at_once() -> None:
    problems = problems_of({
        "PUPITRE_PORT": "http",
        "PUPITRE_DEBUG": "perhaps",
        "PUPITRE_BASE_URL": "pupitre.example.org",
        "PUPITRE_DATABASE_URL": "mysql://a:b@c/d",
        "PUPITRE_STORAGE_URL": "s3://bucket?regoin=eu",
        "PUPITRE_DEFAULT_LANGUAGE": "xx",
        "PUPITRE_MAIL_FROM": "nobody",
        "PUPITRE_WEB_THREADS": "0",
        "PUPITRE_LOG_LEVEL": "warnings",
    })  # fmt: skip
    assert len(problems) == 9
    assert "region" in problems["PUPITRE_STORAGE_URL"].mend
    assert "Did you mean warning?" in problems["PUPITRE_LOG_LEVEL"].mend
    assert all(problem.wrong and problem.mend for problem in problems.values())


def test_a_misspelt_name_is_reported_with_the_nearest() -> None:
    problems = problems_of({"PUPITRE_DATABSE_URL": "postgresql://u:p@h/d", "PUPITRE_COLOUR": "blue"})
    assert problems["PUPITRE_DATABSE_URL"].mend == "Did you mean PUPITRE_DATABASE_URL?"
    assert "docs/operate/settings.md" in problems["PUPITRE_COLOUR"].mend


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigurationError) as raised:
        config.load({
            "PUPITRE_DATABASE_URL": "postgres//app:hunter2@db/pupitre",
            "PUPITRE_SMTP_URL": "smtp://app:hunter2@mail:587?tls=maybe",
            "PUPITRE_STORAGE_URL": "s3://bucket?secret_access_key=hunter2&colour=blue",
            "PUPITRE_SECRET_KEY": "hunter2",
            "PUPITRE_SECRET_KEYS": "hunter2",
        })  # fmt: skip
    assert len(raised.value.problems) == 5
    assert "hunter2" not in str(raised.value)
    found = config.load({"PUPITRE_DATA_DIR": str(tmp_path), "PUPITRE_SMTP_URL": "smtp://app:hunter2@mail"})
    assert "hunter2" not in repr(found)
    assert found.secret_key not in repr(found)


@pytest.mark.parametrize(
    "url", ["postgresql://a:pw@h/d", "smtp://u:p@ss@h", "s3://b?secret_access_key=pw&x=1"]
)
def test_an_address_is_masked(url: str) -> None:
    assert "pw" not in config.masked(url)
    assert "p@ss" not in config.masked(url)
    assert "***" in config.masked(url)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "smtp"
    file.write_text("smtp://ana:s%40crt@mail.example:465\n")
    found = config.load({"PUPITRE_DATA_DIR": str(tmp_path), "PUPITRE_SMTP_URL_FILE": str(file)})
    assert found.smtp == config.SmtpServer("mail.example", 465, "ana", "s@crt", "ssl")


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    problems = problems_of({
        "PUPITRE_SECRET_KEY_FILE": str(tmp_path / "missing"),
        "PUPITRE_SMTP_URL_FILE": str(tmp_path / "empty"),
        "PUPITRE_STORAGE_URL": "file:///srv",
        "PUPITRE_STORAGE_URL_FILE": str(tmp_path / "empty"),
        "PUPITRE_PORT_FILE": str(tmp_path / "port"),
    })  # fmt: skip
    assert "No such file" in problems["PUPITRE_SECRET_KEY_FILE"].wrong
    assert "empty" in problems["PUPITRE_SMTP_URL_FILE"].wrong
    assert "given too" in problems["PUPITRE_STORAGE_URL_FILE"].wrong
    assert "Only secrets" in problems["PUPITRE_PORT_FILE"].wrong


def test_the_owner_is_demanded_only_where_tables_are_made(tmp_path: Path) -> None:
    environ = {"PUPITRE_DATA_DIR": str(tmp_path), "PUPITRE_DATABASE_URL": "postgresql://app:x@h/d"}
    assert config.load(environ).owner_database_url is None
    assert set(problems_of(environ, needs_owner=True)) == {"PUPITRE_OWNER_DATABASE_URL"}


def test_one_role_for_both_is_refused() -> None:
    url = "postgresql://app:x@h/d"
    problems = problems_of({"PUPITRE_DATABASE_URL": url, "PUPITRE_OWNER_DATABASE_URL": url})
    assert "application's own role" in problems["PUPITRE_OWNER_DATABASE_URL"].wrong


def test_secrets_are_generated_once_and_kept_for_us_alone(tmp_path: Path) -> None:
    environ = {"PUPITRE_DATA_DIR": str(tmp_path / "data")}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: config.load(environ), range(16)))
    assert len({one.secret_key for one in found}) == 1
    assert len({one.vapid_private_key for one in found}) == 1
    assert len(found[0].secret_key) >= 50
    for name in ("secret-key", "vapid-key"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["secret-key", "vapid-key"]


def test_the_generated_push_key_is_a_key_of_the_curve(tmp_path: Path) -> None:
    raw = config.load({"PUPITRE_DATA_DIR": str(tmp_path)}).vapid_private_key
    number = int.from_bytes(base64.urlsafe_b64decode(raw + "="), "big")
    assert ec.derive_private_key(number, ec.SECP256R1()).public_key().curve.name == "secp256r1"


def test_the_documented_table_is_the_real_one() -> None:
    document = (ROOT / "docs" / "operate" / "settings.md").read_text()
    table = re.search(r"<!-- settings: .*?-->\n(.*?)<!-- end -->", document, re.DOTALL)
    assert table is not None
    assert table[1] == config.settings_table(), "run `python -m pupitre.kernel.config` and paste its table"
