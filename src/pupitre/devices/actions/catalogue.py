"""The catalogue: applications, their versions, and the files that we deliver ourselves."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction

from pupitre.devices.models import Application, ApplicationVersion, Rollout
from pupitre.devices.queries import catalogue as queries
from pupitre.devices.queries.policies import Owner, owner_for
from pupitre.devices.rules import Platform, RolloutState
from pupitre.devices.rules import applications as rules
from pupitre.devices.rules.packages import LARGEST, PackageFacts, read_package
from pupitre.kernel.storage import Storage
from pupitre.people.rules import Actor

#: Under this kind packages lie in the object store; an authority's under school 0.
PACKAGES: Final = "packages"
_PLATFORMS: Final[Mapping[str, Platform]] = {
    "apk": Platform.ANDROID,
    "deb": Platform.LINUX,
    "flatpak": Platform.LINUX,
    "msi": Platform.WINDOWS,
    "winget": Platform.WINDOWS,
}
_PIECE: Final = 1024 * 1024
_LONGEST: Final = 200


@transaction.atomic
def add_application(
    actor: Actor,
    *,
    package: str,
    name: str,
    platform: Platform,
    kind: str,
    publisher: str = "",
    notes: str = "",
    now: datetime,
) -> Application:
    """Put an application into the authority's or the school's catalogue; it has no version yet.

    Raises WrongKind, NameNeeded, AlreadyThere.
    """
    owner = owner_for(actor)
    if kind not in rules.KINDS[platform]:
        raise rules.WrongKind
    if not package.strip() or len(package) > _LONGEST:
        raise rules.PackageNeeded
    try:
        with transaction.atomic():
            return Application.objects.create(
                authority_id=owner.authority_id,
                school_id=owner.school_id,
                package=package.strip(),
                name=name.strip()[:_LONGEST] or package.strip(),
                platform=platform.value,
                kind=kind,
                publisher=publisher.strip()[:_LONGEST],
                notes=notes.strip(),
                created_at=now,
            )
    except IntegrityError:
        raise rules.AlreadyThere from None


@transaction.atomic
def add_version(
    actor: Actor,
    application_id: int,
    *,
    version: str,
    code: int = 0,
    url: str = "",
    sha256: str = "",
    size: int = 0,
    now: datetime,
) -> ApplicationVersion:
    """Name a version that devices get from elsewhere: their own tool (winget, Flatpak) or its maker's address.

    Raises NotFound, VersionNeeded, WrongAddress, AlreadyThere.
    """
    app = queries.access_own(actor, application_id)
    if app.kind in rules.WITH_FILE and not url:
        raise rules.FileNeeded
    if url and not url.startswith("https://"):
        raise rules.WrongAddress
    facts = {"code": code, "url": url, "sha256": sha256.lower(), "size": size}
    return _add(app, version, facts, now)


@transaction.atomic
def upload_version(
    actor: Actor,
    stream: IO[bytes],
    *,
    file_name: str,
    size: int,
    application_id: int | None = None,
    package: str = "",
    version: str = "",
    name: str = "",
    now: datetime,
) -> ApplicationVersion:
    """Take a package in: of an application that is there, or of a new one.

    What the file says of itself (package, version, versionCode) goes before what was typed.
    Raises NotAPackage, OtherPackage, TooLarge, PackageNeeded, VersionNeeded, AlreadyThere.
    """
    if size > LARGEST:
        raise rules.TooLarge
    owner, facts = owner_for(actor), read_package(stream)
    app = _application_of(actor, owner, facts, application_id, package, name, now)
    if facts.kind != app.kind:
        raise rules.WrongKind
    if facts.package and facts.package != app.package:
        raise rules.OtherPackage
    stream.seek(0)
    digest = hashlib.sha256()
    while piece := stream.read(_PIECE):
        digest.update(piece)
    stream.seek(0)
    key = Storage(settings.CONFIG.storage_url).put_stream(owner.school_id or 0, PACKAGES, stream)
    told = {
        "code": facts.code,
        "file_key": key,
        "file_name": file_name[:_LONGEST],
        "size": size,
        "sha256": digest.hexdigest(),
    }
    return _add(app, facts.version or version, told, now)


def _application_of(
    actor: Actor,
    owner: Owner,
    facts: PackageFacts,
    application_id: int | None,
    package: str,
    name: str,
    now: datetime,
) -> Application:
    if application_id is not None:
        return queries.access_own(actor, application_id)
    platform, called = _PLATFORMS[facts.kind], facts.package or package.strip()
    held = Application.objects.filter(queries.owned(owner), platform=platform.value, package=called).first()
    return held or add_application(
        actor, package=called, name=name, platform=platform, kind=facts.kind, now=now
    )


def _add(app: Application, version: str, facts: Mapping[str, Any], now: datetime) -> ApplicationVersion:
    if not version.strip() or len(version) > _LONGEST:
        raise rules.VersionNeeded
    if app.archived_at is not None:
        app.archived_at = None
        app.save(update_fields=["archived_at"])
    try:
        with transaction.atomic():
            return ApplicationVersion.objects.create(
                authority_id=app.authority_id,
                school_id=app.school_id,
                application=app,
                version=version.strip(),
                created_at=now,
                **facts,
            )
    except IntegrityError:
        raise rules.AlreadyThere from None


@transaction.atomic
def withdraw_version(actor: Actor, version_id: int, *, now: datetime) -> ApplicationVersion:
    """Give a version to nobody any more. A rollout of it that is under way halts; who has it is given the released one.

    Raises NotFound, IsWithdrawn.
    """
    version = queries.access_own_version(actor, version_id)
    if version.withdrawn_at is not None:
        raise rules.IsWithdrawn
    version.withdrawn_at = now
    version.save(update_fields=["withdrawn_at"])
    Rollout.objects.filter(
        queries.owned(owner_for(actor)),
        version_id=version.pk,
        state__in=[RolloutState.PLANNED.value, RolloutState.RUNNING.value],
    ).update(state=RolloutState.HALTED.value, why_halted="withdrawn", ended_at=now)
    return version


@transaction.atomic
def archive_application(actor: Actor, application_id: int, *, now: datetime) -> Application:
    """Take an application out of the catalogue: devices are given it no more. What is installed stays until a policy
    removes it.
    """
    app = queries.access_own(actor, application_id)
    app.archived_at = now
    app.save(update_fields=["archived_at"])
    return app
