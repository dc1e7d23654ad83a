"""Assets under hashed names, so that a browser may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedAssets(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Names without an entry (an asset asked for before `collectstatic`) are served under their plain name."""

    manifest_strict = False
