"""Which database this process works on: the outside one that is configured, or the embedded one."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping

from pupitre.kernel.config import Config
from pupitre.kernel.embedded import EmbeddedPostgres, Urls

_REPLACED = (
    "PUPITRE_DATABASE_URL",
    "PUPITRE_DATABASE_URL_FILE",
    "PUPITRE_OWNER_DATABASE_URL",
    "PUPITRE_OWNER_DATABASE_URL_FILE",
    "PUPITRE_AS_OWNER",
)


class DatabaseError(Exception):
    """The database cannot be used; the message says why and what mends it."""


def outside(config: Config) -> Urls | None:
    """The addresses of the configured outside database, once it is found fit; None where none is configured.

    Raises DatabaseError naming all that is unfit.
    """
    from pupitre.kernel import roles

    if config.database_url is None:
        return None
    findings = roles.check_server(config.database_url, config.owner_database_url)
    if findings:
        raise DatabaseError("\n".join(f"{finding.wrong} {finding.mend}" for finding in findings))
    return Urls(application=config.database_url, owner=config.owner_database_url or "")


@contextlib.contextmanager
def used(config: Config, say: Callable[[str], None]) -> Iterator[Urls]:
    """The database for one command. The embedded server is started if it is not running, and then stopped again."""
    urls = outside(config)
    if urls is not None:
        yield urls
        return
    with EmbeddedPostgres(config.data_dir, say=say) as server:
        yield server.ensure_roles_and_database()


def joined(config: Config) -> Urls:
    """The database for a long-running process beside others. Raises DatabaseError if the embedded one does not run."""
    urls = outside(config)
    if urls is not None:
        return urls
    server = EmbeddedPostgres(config.data_dir)
    if not server.is_running:
        raise DatabaseError(
            "The embedded database does not run. Start everything with `pupitre up`, or set PUPITRE_DATABASE_URL."
        )
    return server.ensure_roles_and_database()


def environment(
    config: Config, urls: Urls, *, as_owner: bool = False, base: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The environment of a process that works on this database. Only the one that migrates knows the owner's password."""
    changed = {
        "PUPITRE_DATABASE_URL": urls.application,
        "PUPITRE_DATA_DIR": str(config.data_dir),
        "DJANGO_SETTINGS_MODULE": "pupitre.project.settings",
        "PYTHONUNBUFFERED": "1",
    }
    if as_owner:
        changed |= {"PUPITRE_OWNER_DATABASE_URL": urls.owner, "PUPITRE_AS_OWNER": "1"}
    kept = {name: value for name, value in base.items() if name not in _REPLACED}
    return kept | changed


def adopt(config: Config, urls: Urls) -> None:
    """Make this process itself work on the database, as the application."""
    wanted = environment(config, urls)
    for name in _REPLACED:
        os.environ.pop(name, None)
    os.environ.update(wanted)


def learn_sizes(urls: Urls) -> None:
    """Let PostgreSQL look at its tables now: plans made before it has done so by itself cost twice as much.

    After much was written at once: the demonstration, an import from the command line. Needs the owner; without her
    address PostgreSQL's own housekeeping comes some minutes later.
    """
    import psycopg

    if not urls.owner:
        return
    with contextlib.suppress(psycopg.Error), psycopg.connect(urls.owner, autocommit=True) as connection:
        connection.execute("ANALYZE")
