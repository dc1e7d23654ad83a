"""The command line: `pupitre up`, `pupitre doctor`, ... `--help` answers without waking Django."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pupitre.kernel.config import Config


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. What people can mend is told in sentences, without a traceback."""
    args = _parser().parse_args(arguments)
    from pupitre.kernel.config import ConfigurationError
    from pupitre.kernel.embedded import EmbeddedPostgresError
    from pupitre.project.database import DatabaseError

    run: Callable[[argparse.Namespace], int] = args.run
    try:
        return run(args)
    except (ConfigurationError, EmbeddedPostgresError, DatabaseError, CommandError) as error:
        sys.stdout.flush()
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


class CommandError(Exception):
    """The command cannot be carried out; the message says why and what mends it."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pupitre",
        description="Pupitre, an education cloud.",
        epilog="Settings are environment variables: see docs/operate/settings.md.",
    )
    commands = parser.add_subparsers(metavar="command", required=True)

    def command(name: str, summary: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=summary, description=summary)
        sub.set_defaults(run=run)
        return sub

    command("up", "start everything on this machine: database, web, gateway and worker", _up)
    importing = command("import", "import a roster or a timetable into a school", _import)
    _add_importing(importing)
    _add_founding(command)
    _add_appointing(command)
    exporting = command("export", "export a school's roster as OneRoster 1.2 CSV", _export)
    exporting.add_argument("school", help="the school's short name, as in its address /s/<school>/")
    exporting.add_argument("path", type=Path, help="the zip file to write")
    command("demo", "fill an empty database with the demonstration authority", _demo)
    populating = command(
        "populate", "fill an authority with invented schools at full size, to measure", _populate
    )
    populating.add_argument("--schools", type=int, default=4, help="how many (default: 4)")
    populating.add_argument(
        "--users", type=int, default=10_000, help="pupils, guardians and staff in all (default: 10,000)"
    )
    populating.add_argument(
        "--history",
        type=float,
        default=0.05,
        help="how far back registers go, from 0 to 1 for two school years (default: 0.05, three weeks and a half)",
    )
    populating.add_argument(
        "--seed", type=int, default=1, help="another one makes other schools (default: 1)"
    )
    populating.add_argument(
        "--authority", default="region", help="the authority's short name (default: region)"
    )
    populating.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        help="schools filled at once (default: one a core)",
    )
    doctor = command(
        "doctor", "look whether everything is in order, and say how to mend what is not", _doctor
    )
    doctor.add_argument("--quiet", action="store_true", help="show only what is not in order")
    retention = command("retention", "delete what is older than its rule allows", _retention)
    retention.add_argument("--dry-run", action="store_true", help="say what would go and delete nothing")
    retention.add_argument("--school", default="", help="only this school's, by its short name")
    retention.add_argument(
        "--minutes", type=int, default=240, help="stop after so long; what is left goes on the next time"
    )
    retention.add_argument("--fast", action="store_true", help="do not rest between batches")
    counting = command("figures", "count the months of attendance that were never counted", _figures)
    counting.add_argument("--school", default="", help="only this school's, by its short name")
    command("migrate", "bring the tables up to date, as the role that owns them", _migrate)
    command("web", "answer pages (one process of a larger installation)", _web)
    command("gateway", "answer devices (one process of a larger installation)", _gateway)
    broker = command("broker", "write the settings of a Mosquitto broker for Headwind's agents", _broker)
    broker.add_argument("folder", type=Path, help="where its settings and its memory shall lie")
    broker.add_argument("--address", default="", help="the address to listen on (default: all)")
    command("worker", "carry out jobs (one process of a larger installation)", _worker)
    django = command("django", "run one of Django's own commands, as the application", _django)
    django.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser


def _add_founding(command: Callable[..., argparse.ArgumentParser]) -> None:
    founding = command("found", "found a school, with a first person of its office", _found)
    founding.add_argument(
        "authority", help="the authority's short name; founded, too, if there is none of it"
    )
    founding.add_argument("school", help="the school's short name, as in its address /s/<school>/")
    founding.add_argument("--name", help="the school's name")
    founding.add_argument("--authority-name", help="the authority's name")
    founding.add_argument("--country", help="two letters (default: ES)")
    founding.add_argument("--time-zone", help="IANA name (default: Europe/Madrid)")
    founding.add_argument("--language", help="es, ca, fr, de, en or pt (default: es)")
    founding.add_argument("--sourced-id", default="", help="the school's sourcedId in rosters")
    founding.add_argument("--code", default="", help="the authority's own code of the school")
    founding.add_argument(
        "--office", metavar="'GIVEN FAMILY'", help="who runs the office; gets an activation link"
    )
    founding.add_argument("--email", default="", help="that person's e-mail address")
    founding.add_argument(
        "--without-second-factor",
        action="store_true",
        help="do not demand a second factor of those who see everything (new authorities)",
    )


def _add_appointing(command: Callable[..., argparse.ArgumentParser]) -> None:
    for part, sees in (
        ("inspector", "the figures of its schools"),
        ("fleet-manager", "the devices of its schools"),
    ):
        appointing = command(f"appoint-{part}", f"let somebody see an authority's part: {sees}", _appoint)
        appointing.set_defaults(part=part)
        appointing.add_argument(
            "authority", help="the authority's short name, as in its address /a/<authority>/"
        )
        appointing.add_argument("username", help="the user name by which she signs in")
        appointing.add_argument(
            "--name", default="", help="opens the account where there is none of that user name"
        )


def _add_importing(importing: argparse.ArgumentParser) -> None:
    importing.add_argument(
        "school", nargs="?", help="the school's short name, as in its address /s/<school>/"
    )
    importing.add_argument("path", type=Path, help="a zip, a folder or a file")
    importing.add_argument(
        "--authority",
        help="instead of a school: divide a region's OneRoster files among this authority's schools",
    )
    importing.add_argument(
        "--found",
        action="store_true",
        help="found the schools that the region's files have and Pupitre has not",
    )
    importing.add_argument(
        "--let-leave",
        action="store_true",
        help="import a region's school also where more than a third of its people would leave",
    )
    importing.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="import so many of a region's schools at once (default: 1); each takes a core here and in the database",
    )
    importing.add_argument("--dry-run", action="store_true", help="show what would change and change nothing")
    importing.add_argument("--format", help="say what the file is, where Pupitre would guess wrong")
    importing.add_argument(
        "--org",
        action="append",
        metavar="ID",
        help="which school of the files this one is (sourcedId; several times, or `all`)",
    )
    importing.add_argument(
        "--role-map",
        action="append",
        metavar="WORD=ROLE",
        help="what an unknown role means (student, teacher, guardian, ...; nothing after = leaves it out)",
    )
    importing.add_argument(
        "--grade-map", action="append", metavar="WORD=GRADE", help="what an unknown grade means"
    )
    importing.add_argument(
        "--date-order", choices=["dmy", "mdy"], help="how dates such as 3/4/2027 are meant"
    )
    importing.add_argument(
        "--take-file", action="store_true", help="let the file win where the school changed something by hand"
    )
    importing.add_argument(
        "--verbose", action="store_true", help="show all findings, not the first of each sort"
    )
    importing.add_argument("--json", action="store_true", help="answer in JSON, for other programs")


def _say(message: str) -> None:
    sys.stderr.write(f"{message}\n")


def _config(*, needs_owner: bool = False) -> "Config":
    from pupitre.kernel import config

    return config.load(os.environ, needs_owner=needs_owner)


def _up(_args: argparse.Namespace) -> int:
    from pupitre.project import up

    try:
        return up.run(_config(needs_owner=True))
    except up.StartError as error:
        raise CommandError(str(error)) from None


def _with_database(work: Callable[[], int], *, writes_much: bool = False) -> int:
    from pupitre.project import database

    config = _config()
    with database.used(config, _say) as urls:
        database.adopt(config, urls)
        import django

        django.setup()
        try:
            return work()
        finally:
            from django.db import connections

            connections.close_all()
            if writes_much:
                database.learn_sizes(urls)


def _import(args: argparse.Namespace) -> int:
    def work() -> int:
        from pupitre.project.commands import rosters

        return int(rosters.run_import(args) or 0)

    return _with_database(work, writes_much=True)


def _export(args: argparse.Namespace) -> int:
    def work() -> int:
        from pupitre.project.commands import rosters

        return int(rosters.run_export(args) or 0)

    return _with_database(work)


def _retention(args: argparse.Namespace) -> int:
    def work() -> int:
        from pupitre.project.commands import retention

        return retention.run_retention(args)

    return _with_database(work)


def _figures(args: argparse.Namespace) -> int:
    def work() -> int:
        from pupitre.project.commands import retention

        return retention.run_figures(args)

    return _with_database(work)


def _appoint(args: argparse.Namespace) -> int:
    def work() -> int:
        from pupitre.project.commands import appointing

        return appointing.run_appoint(args)

    return _with_database(work)


def _found(args: argparse.Namespace) -> int:
    def work() -> int:
        from pupitre.project.commands import founding

        return founding.run_found(args)

    return _with_database(work)


def _demo(args: argparse.Namespace) -> int:
    def work() -> int:
        from pupitre.project.demo import load

        return int(load.run_demo(args) or 0)

    return _with_database(work, writes_much=True)


def _populate(args: argparse.Namespace) -> int:
    def work() -> int:
        from pupitre.project.commands import populate

        return populate.run_populate(args)

    return _with_database(work, writes_much=True)


def _broker(args: argparse.Namespace) -> int:
    from pupitre.project.commands import broker

    _say(broker.write(_config(), args.folder.absolute(), args.address))
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from pupitre.project import doctor

    return doctor.run(_config(), quiet=args.quiet)


def _migrate(_args: argparse.Namespace) -> int:
    from pupitre.kernel.config import user_of
    from pupitre.project import database, prepare

    config = _config(needs_owner=True)
    with database.used(config, _say) as urls:
        return prepare.in_own_process(config, urls, "tables", user_of(urls.application), as_owner=True)


def _web(_args: argparse.Namespace) -> int:
    from pupitre.project import database, web

    config = _config()
    database.adopt(config, database.joined(config))
    web.serve(config)
    return 0


def _gateway(_args: argparse.Namespace) -> int:
    from pupitre.project import database, gateway

    config = _config()
    database.adopt(config, database.joined(config))
    gateway.serve(config)
    return 0


def _worker(_args: argparse.Namespace) -> int:
    from pupitre.project import database

    config = _config()
    database.adopt(config, database.joined(config))
    from pupitre.project import worker

    worker.work()
    return 0


def _django(args: argparse.Namespace) -> int:
    def work() -> int:
        from django.core.management import execute_from_command_line

        execute_from_command_line(["pupitre django", *args.arguments])
        return 0

    return _with_database(work)


if __name__ == "__main__":
    sys.exit(main())
