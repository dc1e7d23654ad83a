"""The product's settings, for tests: a throw-away data folder, and a database that `tests/database.py` makes."""

import atexit
import os
import shutil
import tempfile

for name in [
    name
    for name in os.environ
    if name.startswith("PUPITRE_") and name not in {"PUPITRE_PG_BIN", "PUPITRE_CHROMIUM"}
]:
    del os.environ[name]
os.environ["PUPITRE_DATA_DIR"] = tempfile.mkdtemp(prefix="pupitre-tests-")
atexit.register(shutil.rmtree, os.environ["PUPITRE_DATA_DIR"], ignore_errors=True)
os.environ["PUPITRE_DEMO"] = "false"
os.environ["PUPITRE_DEFAULT_LANGUAGE"] = "en"

from pupitre.project import catalogues  # noqa: E402
from pupitre.project.settings import *  # noqa: E402, F403

catalogues.compile_stale()

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
# Hashing is not what these tests are about; the parameters have a test of their own.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "pupitre.people.hashing.Argon2"]
ALLOWED_HOSTS = ["*"]
