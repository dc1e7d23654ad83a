"""What can be set: every setting by its environment variable, read once, refused all at once when wrong."""

import difflib
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

PREFIX = "PUPITRE_"
LANGUAGES = ("ca", "de", "en", "es", "fr", "pt")
LOG_LEVELS = ("debug", "info", "warning", "error")
S3_OPTIONS = ("region", "endpoint", "access_key_id", "secret_access_key", "path_style", "allow_http")

# Read elsewhere, by programs that need no configuration, and therefore not unknown.
OTHER_NAMES: Mapping[str, str] = {
    "PUPITRE_PG_BIN": "folder with the programs of a PostgreSQL 16 or newer (`initdb`, `postgres`) for the embedded server",
    "PUPITRE_CHROMIUM": "the Chromium that the tests drive",
    "PUPITRE_AS_OWNER": "set by `pupitre migrate` for the one process that owns the tables; not for people",
    "PUPITRE_SUPERVISOR": "set by `pupitre up` for the processes it starts; not for people",
}

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Problem:
    """One wrong setting: its name, its value as it may be shown, what is wrong and how to mend it."""

    name: str
    shown: str
    wrong: str
    mend: str

    def __str__(self) -> str:
        return f"{self.name}={self.shown}: {self.wrong} {self.mend}"


class ConfigurationError(Exception):
    """Some settings are wrong; `problems` names every one of them."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        count = "One setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        super().__init__("\n".join([f"{count} wrong:", *(f"  {problem}" for problem in problems)]))


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed in; `tls` is "starttls", "ssl" or "none"."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls: str


@dataclass(frozen=True)
class Config:
    """The settings of one process. `docs/operate/settings.md` says what each means."""

    data_dir: Path
    database_url: str | None = field(repr=False)
    owner_database_url: str | None = field(repr=False)
    secret_key: str = field(repr=False)
    old_secret_keys: tuple[str, ...] = field(repr=False)
    base_url: str
    host: str
    port: int
    web_workers: int
    web_threads: int
    web_waiting: int
    trusted_proxies: int
    gateway_port: int
    gateway_workers: int
    gateway_url: str
    gateway_interval: int
    gateway_devices: int
    gateway_connections: int
    headwind_secret: str = field(repr=False)
    mqtt_url: str | None = field(repr=False)
    private_addresses: bool
    debug: bool
    smtp_url: str | None = field(repr=False)
    mail_from: str
    storage_url: str = field(repr=False)
    vapid_private_key: str = field(repr=False)
    signing_keys: tuple[str, ...] = field(repr=False)
    log_level: str
    log_format: str
    default_language: str
    demo: bool
    keep_school_years: int
    keep_history_months: int
    keep_looks_months: int
    keep_read_notifications_days: int
    keep_unread_notifications_days: int
    keep_jobs_days: int

    @property
    def smtp(self) -> SmtpServer | None:
        """The mail server, taken apart; None when mail is written to `mail_dir`."""
        return None if self.smtp_url is None else _smtp_server(urlsplit(self.smtp_url))

    def keys_that_sign(self) -> tuple[str, ...]:
        """RSA private keys in PEM, the one that signs first. Made when somebody first asks: few processes do."""
        return self.signing_keys or (kept_secret(self.data_dir / "signing-key", _new_signing_key),)

    @property
    def mail_dir(self) -> Path:
        return self.data_dir / "mail"


class _WrongValueError(ValueError):
    def __init__(self, wrong: str, mend: str) -> None:
        super().__init__(wrong)
        self.wrong, self.mend = wrong, mend


def _text(value: str) -> str:
    return value


def _signing_keys(value: str) -> tuple[str, ...]:
    found = tuple(
        re.findall(
            r"-----BEGIN (?:RSA )?PRIVATE KEY-----.+?-----END (?:RSA )?PRIVATE KEY-----", value, re.DOTALL
        )
    )
    if not found:
        raise _WrongValueError(
            "This is no RSA private key.", "Write it in PEM, as `openssl genrsa 3072` does, or leave it out."
        )
    return found


def _flag(value: str) -> bool:
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise _WrongValueError("This is neither yes nor no.", "Write true or false.")


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"\d{1,9}", value) or not low <= int(value) <= high:
            raise _WrongValueError(
                "This is no number that can stand here.", f"Write a whole number from {low} to {high}."
            )
        return int(value)

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in choices:
            near = difflib.get_close_matches(value.lower(), choices, 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise _WrongValueError(
                "This is none of the choices.", f"{hint}Write one of {', '.join(choices)}."
            )
        return value.lower()

    return parse


def _folder(value: str) -> Path:
    path = Path(value).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise _WrongValueError("This is a file.", "Name a folder that Pupitre may fill.")
    return path


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port  # an impossible port raises only when it is asked for
    except ValueError as error:
        raise _WrongValueError(
            f"This is no address ({error}).", "Write it as scheme://host:port/path."
        ) from None
    return parts


def _database_url(value: str) -> str:
    mend = "Write postgresql://user:password@host:5432/database."
    parts = _split(value)
    if parts.scheme not in ("postgresql", "postgres"):
        raise _WrongValueError("This is no address of a PostgreSQL database.", mend)
    query = parse_qs(parts.query)
    if not (parts.username or query.get("user")):
        raise _WrongValueError("The address names no user.", mend)
    if not (parts.path.strip("/") or query.get("dbname")):
        raise _WrongValueError("The address names no database.", mend)
    return value


#: What is built into Headwind's agent as everybody can download it.
STOCK_HEADWIND_SECRET = "changeme-C3z9vi54"  # noqa: S105 - known to everybody


def _headwind_secret(value: str) -> str:
    if value == "stock":
        return STOCK_HEADWIND_SECRET
    if value == STOCK_HEADWIND_SECRET:
        raise _WrongValueError(
            "This is the stock agent's secret, which everybody knows.",
            "Write stock if you mean it (docs/devices/headwind.md), or the secret of an agent of your own.",
        )
    if len(value) < 16:
        raise _WrongValueError("This secret is too short.", "Write 16 characters or more, or stock.")
    return value


def _mqtt_url(value: str) -> str:
    parts = _split(value)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or not parts.username:
        raise _WrongValueError("This is no address of a broker.", "Write mqtt://user:password@host:31000.")
    return value


def _base_url(value: str) -> str:
    parts = _split(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _WrongValueError(
            "This is no web address.", "Write the address people open, as https://pupitre.example.org."
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _WrongValueError(
            "Pupitre cannot live below a path.", "Give it a host name of its own and write only https://host."
        )
    return value.rstrip("/")


def _smtp_server(parts: SplitResult) -> SmtpServer:
    host = parts.hostname or ""
    port = parts.port or 587
    usual = "ssl" if port == 465 else "none" if host in ("localhost", "127.0.0.1", "::1") else "starttls"
    tls = parse_qs(parts.query).get("tls", [usual])[0]
    return SmtpServer(host, port, unquote(parts.username or ""), unquote(parts.password or ""), tls)


def _smtp_url(value: str) -> str:
    mend = "Write smtp://user:password@host:587?tls=starttls (or tls=ssl, or tls=none)."
    parts = _split(value)
    if parts.scheme != "smtp" or not parts.hostname:
        raise _WrongValueError("This is no address of a mail server.", mend)
    if unknown := sorted(set(parse_qs(parts.query)) - {"tls"}):
        raise _WrongValueError(f"The option {unknown[0]} is unknown.", mend)
    if _smtp_server(parts).tls not in ("starttls", "ssl", "none"):
        raise _WrongValueError("The option tls has no such choice.", mend)
    return value


def _mail_from(value: str) -> str:
    address = parseaddr(value)[1]
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise _WrongValueError("This is no sender.", "Write Name of the school <office@school.example>.")
    return value


def _storage_url(value: str) -> str:
    parts = _split(value)
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise _WrongValueError("The folder is not absolute.", "Write file:///folder, with three slashes.")
        return value
    if parts.scheme != "s3" or not parts.netloc:
        raise _WrongValueError(
            "This is no object store.", "Write file:///folder or s3://bucket/prefix?region=..."
        )
    for option in sorted(set(parse_qs(parts.query)) - set(S3_OPTIONS)):
        near = difflib.get_close_matches(option, S3_OPTIONS, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise _WrongValueError(
            f"The option {option} is unknown.", f"{hint}There are {', '.join(S3_OPTIONS)}."
        )
    return value


def _secret_key(value: str) -> str:
    if len(value) < 32:
        raise _WrongValueError(
            "This is too short to be a secret.", "Use 50 random characters, or leave it out."
        )
    return value


def _secret_keys(value: str) -> tuple[str, ...]:
    return tuple(_secret_key(part) for part in value.split())


def _vapid_private_key(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", value):
        raise _WrongValueError(
            "This is no P-256 private key.",
            "Write its 32 bytes in base64url without padding, or leave it out.",
        )
    return value


@dataclass(frozen=True)
class Setting:
    """One setting: how it is read, what stands when it is not given, and what it means."""

    field: str
    parse: Callable[[str], Any]
    default: str
    meaning: str
    secret: bool = False

    @property
    def name(self) -> str:
        return PREFIX + self.field.upper()


SETTINGS: tuple[Setting, ...] = (
    Setting("data_dir", _folder, "`var/` in a source checkout, else `~/.local/share/pupitre`",
            "folder for everything Pupitre keeps: the embedded database, files, mail, generated secrets"),
    Setting("database_url", _database_url, "an embedded PostgreSQL in the data folder",
            "outside PostgreSQL 16 or newer, as the application role: `postgresql://user:password@host/database`", secret=True),
    Setting("owner_database_url", _database_url, "known for the embedded server",
            "the same database as the role that owns the tables; only `up` and `migrate` need it", secret=True),
    Setting("secret_key", _secret_key, "generated once, kept in `secret-key` in the data folder",
            "signs sessions and links, seals what other systems entrusted; the same for all processes", secret=True),
    Setting("old_secret_keys", _secret_keys, "none",
            "secrets until now, the newest first, between spaces: what they signed and sealed is still read", secret=True),
    Setting("base_url", _base_url, "`http://localhost:8000` (follows host and port)",
            "the address people open; links in mail and letters begin with it"),
    Setting("host", _text, "`127.0.0.1`", "the network address to listen on"),
    Setting("port", _whole_number(1, 65535), "`8000`", "the port to listen on"),
    Setting("web_workers", _whole_number(1, 64), "`1`", "processes that answer pages; one per core"),
    Setting("web_threads", _whole_number(1, 64), "`4`", "requests that each of them works on at once; each holds one database connection"),
    Setting("web_waiting", _whole_number(0, 1000), "`60`",
            "requests that may wait for their turn in each of them, for five seconds; more are told to come back"),
    Setting("trusted_proxies", _whole_number(0, 9), "`0`",
            "proxies before Pupitre that add to `X-Forwarded-For`; attempts to sign in are counted by the address they tell"),
    Setting("gateway_port", _whole_number(1, 65535), "one more than the port of pages", "the port at which devices check in, on the same address"),
    Setting("gateway_workers", _whole_number(1, 64), "`1`", "processes that answer devices; one per core"),
    Setting("gateway_url", _base_url, "`PUPITRE_BASE_URL`; where that names the pages' own port, the gateway's instead",
            "the address that devices are told; one public address for both needs the proxy of docs/operate/devices.md"),
    Setting("gateway_interval", _whole_number(30, 86400), "`900`", "seconds after which a device comes again, give or take 15 percent"),
    Setting("gateway_devices", _whole_number(100, 10_000_000), "`100000`",
            "devices that each gateway process remembers (about 1 kB each); the others it reads when they come"),
    Setting("gateway_connections", _whole_number(2, 64), "`4`", "database connections that each gateway process may hold, and one more to listen"),
    Setting("headwind_secret", _headwind_secret, "none: Headwind's protocol is not spoken",
            "the secret that is built into Headwind's agent; `stock` for the agent as its makers publish it (docs/devices/headwind.md)", secret=True),
    Setting("mqtt_url", _mqtt_url, "none: tablets hold a request instead",
            "`mqtt://user:password@host:31000` of a broker by which Headwind's agents are told of changes", secret=True),
    Setting("private_addresses", _flag, "`false`",
            "webhooks may lead into private networks and do without TLS: only where the other system stands in the same house"),
    Setting("debug", _flag, "`false`", "shows the cause of an error in the page; never for real people's data"),
    Setting("smtp_url", _smtp_url, "mail is written to `mail/` in the data folder",
            "the mail server: `smtp://user:password@host:587?tls=starttls` (or `ssl`, `none`)", secret=True),
    Setting("mail_from", _mail_from, "`Pupitre <pupitre@localhost>`", "the sender of mail"),
    Setting("storage_url", _storage_url, "`objects/` in the data folder",
            f"where files are kept: `file:///folder` or `s3://bucket/prefix?...` with {', '.join(f'`{o}`' for o in S3_OPTIONS)}",
            secret=True),
    Setting("vapid_private_key", _vapid_private_key, "generated once, kept in `vapid-key` in the data folder",
            "identifies this Pupitre to push services: a P-256 private key, base64url", secret=True),
    Setting("signing_keys", _signing_keys, "generated once, kept in `signing-key` in the data folder",
            "RSA private keys (PEM), the newest first: it signs what tools are told of people; the others are still published",
            secret=True),
    Setting("log_level", _one_of(*LOG_LEVELS), "`info`", f"what is logged: {', '.join(LOG_LEVELS)} and worse"),
    Setting("log_format", _one_of("text", "json"), "`text`", "`text` for people, `json` (one object a line) for machines"),
    Setting("default_language", _one_of(*LANGUAGES), "`en`", f"where a person has chosen none: {', '.join(LANGUAGES)}"),
    Setting("demo", _flag, "`true`", "`up` fills an empty database with the demonstration authority"),
    Setting("keep_school_years", _whole_number(1, 100), "`5`",
            "how many school years before the running one are kept with their registers, absences, letters and notices"),
    Setting("keep_history_months", _whole_number(12, 1200), "`24`", "how many months back the history of changes is kept"),
    Setting("keep_looks_months", _whole_number(12, 1200), "`24`", "how many months back it is kept who looked at whose data"),
    Setting("keep_read_notifications_days", _whole_number(1, 36500), "`90`", "days for which notifications are kept that were read"),
    Setting("keep_unread_notifications_days", _whole_number(1, 36500), "`365`", "days for which unread ones are kept"),
    Setting("keep_jobs_days", _whole_number(1, 3650), "`14`", "days for which the records of finished and failed jobs are kept"),
)  # fmt: skip
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_KNOWN = {*_BY_NAME, *OTHER_NAMES, *(s.name + "_FILE" for s in SETTINGS if s.secret)}


def load(environ: Mapping[str, str], *, needs_owner: bool = False) -> Config:
    """Read every setting; generate and keep the secrets that are not given.

    `needs_owner` is for what changes tables: an outside database then needs its owner's address too.
    Raises ConfigurationError naming all that is wrong at once.
    """
    problems = _unknown_names(environ)
    given = _read_all(environ, problems)
    _judge_databases(given, problems, needs_owner=needs_owner)
    if problems:
        raise ConfigurationError(problems)
    return _completed(given, environ)


def masked(url: str) -> str:
    """The address without its password and secret options, fit to be shown."""
    shown = re.sub(r"(//[^:/@\s]*):[^@\s]*@", r"\1:***@", url)
    return re.sub(r"([?&](?:password|secret_access_key)=)[^&\s]*", r"\1***", shown)


def private_folder(path: Path) -> Path:
    """The folder, made for us alone if it is not there yet.

    Under root others may pass through (never list): the embedded server runs as another user below it.
    """
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return path


def kept_secret(path: Path, generate: Callable[[], str]) -> str:
    """The secret in this file, generated on first use; safe when several processes come first at once."""
    if not path.exists():
        private_folder(path.parent)
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mkstemp: mode 0600
        with os.fdopen(handle, "w") as file:
            file.write(generate() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            Path(fresh).unlink()
    return path.read_text().strip()


def settings_table() -> str:
    """All settings as the Markdown table of `docs/operate/settings.md`."""
    rows = [f"| `{s.name}`{' (s)' if s.secret else ''} | {s.meaning} | {s.default} |" for s in SETTINGS]
    others = [f"| `{name}` | {meaning} | |" for name, meaning in OTHER_NAMES.items()]
    return "\n".join(["| name | meaning | when not given |", "|---|---|---|", *rows, *others]) + "\n"


def _unknown_names(environ: Mapping[str, str]) -> list[Problem]:
    problems = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in _KNOWN:
            continue
        if name.removesuffix("_FILE") in _BY_NAME:
            wrong, mend = (
                "Only secrets are read from files.",
                f"Write the value into {name.removesuffix('_FILE')}.",
            )
        else:
            known = {other.removeprefix(PREFIX) for other in _KNOWN}
            near = difflib.get_close_matches(name.removeprefix(PREFIX), known, 1, 0.7)
            wrong = "There is no such setting."
            mend = (
                f"Did you mean {PREFIX}{near[0]}?"
                if near
                else "Remove it; docs/operate/settings.md lists all."
            )
        problems.append(Problem(name, "***", wrong, mend))
    return problems


def _read_all(environ: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for setting in SETTINGS:
        raw = _raw_value(setting, environ, problems)
        if raw is None:
            continue
        try:
            given[setting.field] = setting.parse(raw)
        except _WrongValueError as error:
            shown = _shown(setting, raw)
            problems.append(Problem(setting.name, shown, error.wrong, error.mend))
    return given


def _shown(setting: Setting, raw: str) -> str:
    if not setting.secret:
        return repr(raw)
    return repr(masked(raw)) if re.match(r"[a-z0-9]+://", raw) else "***"


def _raw_value(setting: Setting, environ: Mapping[str, str], problems: list[Problem]) -> str | None:
    """The value as text; None where it is not given. An empty value counts as not given."""
    file_name = setting.name + "_FILE"
    value, path = environ.get(setting.name, "").strip(), environ.get(file_name, "").strip()
    if not (setting.secret and path):
        return value or None
    if value:
        problems.append(
            Problem(file_name, repr(path), f"{setting.name} is given too.", "Keep one of the two.")
        )
        return None
    try:
        content = Path(path).expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        problems.append(
            Problem(file_name, repr(path), f"The file cannot be read: {reason}.", "Name a readable file.")
        )
        return None
    if not content:
        problems.append(Problem(file_name, repr(path), "The file is empty.", "Write the secret into it."))
    return content or None


def user_of(database_url: str) -> str:
    """The role that this database address signs in as."""
    parts = urlsplit(database_url)
    return unquote(parts.username or "") or parse_qs(parts.query).get("user", [""])[0]


def _judge_databases(given: Mapping[str, Any], problems: list[Problem], *, needs_owner: bool) -> None:
    name = "PUPITRE_OWNER_DATABASE_URL"
    application, owner = given.get("database_url"), given.get("owner_database_url")
    if owner and not application and not any(p.name.startswith("PUPITRE_DATABASE_URL") for p in problems):
        problems.append(
            Problem(
                name,
                repr(masked(owner)),
                "PUPITRE_DATABASE_URL is missing beside it.",
                "Give both or neither.",
            )
        )
    if application and owner and user_of(application) == user_of(owner):
        problems.append(Problem(
            name, repr(masked(owner)), "This is the application's own role: nothing would hold it to its school.",
            "Let one role own the tables and another, without superuser and bypassrls, use them.",
        ))  # fmt: skip
    if application and not owner and needs_owner and not any(p.name.startswith(name) for p in problems):
        problems.append(Problem(
            name, "", "It is missing, and the tables have to be made.",
            "Write the address of the same database with the role that owns it.",
        ))  # fmt: skip


def _completed(given: dict[str, Any], environ: Mapping[str, str]) -> Config:
    data_dir = private_folder(given.get("data_dir") or _default_data_dir(environ))
    host, port = given.get("host", "127.0.0.1"), given.get("port", 8000)
    # Passkeys need a name: browsers refuse them on an address in numbers.
    nameless = {"127.0.0.1", "::1", "0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    shown_host = "localhost" if host in nameless else host
    bracketed = f"[{shown_host}]" if ":" in shown_host else shown_host
    gateway_port = given.get("gateway_port", port + 1 if port < 65535 else port - 1)
    defaults: dict[str, Any] = {
        "data_dir": data_dir,
        "database_url": None,
        "owner_database_url": None,
        "old_secret_keys": (),
        "signing_keys": (),
        "base_url": f"http://{bracketed}:{port}",
        "host": host,
        "port": port,
        "web_workers": 1,
        "web_threads": 4,
        "web_waiting": 60,
        "trusted_proxies": 0,
        "gateway_port": gateway_port,
        "gateway_workers": 1,
        "gateway_url": _gateway_url(
            given.get("base_url") or f"http://{bracketed}:{port}", port, gateway_port
        ),
        "gateway_interval": 900,
        "gateway_devices": 100_000,
        "gateway_connections": 4,
        "headwind_secret": "",
        "mqtt_url": None,
        "private_addresses": False,
        "debug": False,
        "smtp_url": None,
        "mail_from": "Pupitre <pupitre@localhost>",
        "storage_url": (data_dir / "objects").as_uri(),
        "log_level": "info",
        "log_format": "text",
        "default_language": "en",
        "demo": True,
        "keep_school_years": 5,
        "keep_history_months": 24,
        "keep_looks_months": 24,
        "keep_read_notifications_days": 90,
        "keep_unread_notifications_days": 365,
        "keep_jobs_days": 14,
    }
    values = {**defaults, **given, "data_dir": data_dir}
    if "secret_key" not in given:
        values["secret_key"] = kept_secret(data_dir / "secret-key", lambda: secrets.token_urlsafe(48))
    if "vapid_private_key" not in given:
        values["vapid_private_key"] = kept_secret(data_dir / "vapid-key", _new_vapid_key)
    return Config(**{item.name: values[item.name] for item in fields(Config)})


def _gateway_url(base_url: str, port: int, gateway_port: int) -> str:
    """Where pages are reached at their own port, devices are at the gateway's; else a proxy has one address for both."""
    parts = urlsplit(base_url)
    if parts.port != port:
        return base_url
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{gateway_port}"


def _default_data_dir(environ: Mapping[str, str]) -> Path:
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").is_file() and (checkout / "src" / "pupitre").is_dir():
        return checkout / "var"
    home = environ.get("XDG_DATA_HOME") or Path(environ.get("HOME") or Path.home()) / ".local" / "share"
    return Path(home) / "pupitre"


def _new_vapid_key() -> str:
    """Any number below the order of the curve P-256 is a private key (FIPS 186-5, A.2)."""
    import base64

    number = secrets.randbelow(_P256_ORDER - 1) + 1
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")


def _new_signing_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return text.decode().strip()


if __name__ == "__main__":
    sys.stdout.write(settings_table())
