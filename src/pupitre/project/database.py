"""Which database this process works on: the outside one that is configured, or the embedded one."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping

from pupitre.kernel.config import Config
from pupitre.kernel.embedded import EmbeddedPostgres, Urls


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


def environment(config: Config, database_url: str, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a process that works on this database, and knows of no other role's password."""
    hidden = ("PUPITRE_DATABASE_URL_FILE", "PUPITRE_OWNER_DATABASE_URL", "PUPITRE_OWNER_DATABASE_URL_FILE")
    return {
        **{name: value for name, value in base.items() if name not in hidden},
        "PUPITRE_DATABASE_URL": database_url,
        "PUPITRE_DATA_DIR": str(config.data_dir),
        "DJANGO_SETTINGS_MODULE": "pupitre.project.settings",
        "PYTHONUNBUFFERED": "1",
    }


def adopt(config: Config, database_url: str) -> None:
    """Make this process itself work on the database, and wake Django."""
    os.environ.update(environment(config, database_url))
    for name in (
        "PUPITRE_DATABASE_URL_FILE",
        "PUPITRE_OWNER_DATABASE_URL",
        "PUPITRE_OWNER_DATABASE_URL_FILE",
    ):
        os.environ.pop(name, None)
    import django

    django.setup()
