"""Django's settings, all derived from `kernel.config`. Nothing is read from the environment but there."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from psycopg.conninfo import conninfo_to_dict

from pupitre.kernel import config as configuration
from pupitre.kernel import sealing

CONFIG = configuration.load(os.environ)
PACKAGE = Path(__file__).resolve().parents[1]

DEBUG = CONFIG.debug
SECRET_KEY = CONFIG.secret_key
SECRET_KEY_FALLBACKS = list(CONFIG.old_secret_keys)
sealing.use([SECRET_KEY, *SECRET_KEY_FALLBACKS])
ALLOWED_HOSTS = (
    ["*"] if DEBUG else [urlsplit(CONFIG.base_url).hostname or "", CONFIG.host, "localhost", "127.0.0.1"]
)
CSRF_TRUSTED_ORIGINS = [CONFIG.base_url]
CSRF_FAILURE_VIEW = "pupitre.web.views.stale_form"
ROOT_URLCONF = "pupitre.project.urls"
WSGI_APPLICATION = "pupitre.project.wsgi.application"
APPEND_SLASH = False

CONTEXTS = [
    "pupitre.web",
    "pupitre.tenancy",
    "pupitre.people",
    "pupitre.connections",
    "pupitre.courses",
    "pupitre.timetable",
    "pupitre.attendance",
    "pupitre.messaging",
    "pupitre.devices",
    "pupitre.reports",
]
INSTALLED_APPS = [
    *CONTEXTS,
    "pupitre.project",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.saml",
    "allauth.idp.oidc",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "pupitre.web.reconnecting.ReconnectMiddleware",  # first: it asks all the others again
    "pupitre.web.middleware.HeadersMiddleware",
    "pupitre.web.compressing.CompressMiddleware",
    "pupitre.web.middleware.BodyLimitMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "pupitre.web.middleware.DomainErrorMiddleware",
    "pupitre.connections.middleware.MachineMiddleware",  # before people's: no session counts at a machine's door
    "pupitre.people.middleware.ActorMiddleware",  # last: it runs the view
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "jinja2",
        "DIRS": [PACKAGE / name.rpartition(".")[2] / "templates" for name in CONTEXTS],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "pupitre.web.jinja.environment",
            "auto_reload": DEBUG,
            "context_processors": ["pupitre.web.pages.shared"],
        },
    },
    {  # what the libraries bring: e-mails and forms of allauth that we do not replace
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]
SHELL_PROVIDER = "pupitre.project.shell.shell_for"


def _database() -> dict[str, Any]:
    """The application's role, or the owner's for the one process that migrates (PUPITRE_AS_OWNER)."""
    as_owner = os.environ.get("PUPITRE_AS_OWNER") == "1"
    url = (CONFIG.owner_database_url if as_owner else CONFIG.database_url) or "postgresql://localhost/pupitre"
    parts: dict[str, Any] = conninfo_to_dict(url)
    known = {name: parts.pop(name, "") for name in ("dbname", "user", "password", "host", "port")}
    # Parameters are bound by the server and every statement is prepared: half the database's CPU of a page.
    options = {**parts, "server_side_binding": not as_owner, "prepare_threshold": None if as_owner else 0}
    return {
        "ENGINE": "pupitre.tenancy.postgresql",
        "NAME": known["dbname"],
        "USER": known["user"],
        "PASSWORD": known["password"],
        "HOST": known["host"],
        "PORT": known["port"],
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": options,
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS = ["models.W042", "fields.W342"]

# Sign-in
AUTH_USER_MODEL = "people.Account"
AUTHENTICATION_BACKENDS = ["pupitre.people.sessions.AccountBackend"]
SESSION_ENGINE = "pupitre.people.sessions"
PASSWORD_HASHERS = ["pupitre.people.hashing.Argon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "pupitre.people.sign_in.AccountAdapter"
USERSESSIONS_ADAPTER = "pupitre.people.sign_in.SessionsAdapter"
MFA_ADAPTER = "pupitre.people.sign_in.SecondFactorAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_FORMS = {
    "reset_password": "pupitre.people.forms.ConfirmedResetForm",
    "request_login_code": "pupitre.people.forms.ConfirmedCodeForm",
}
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_USERNAME_MIN_LENGTH = 3
ACCOUNT_USERNAME_VALIDATORS = "pupitre.people.sign_in.USERNAME_VALIDATORS"
ACCOUNT_PRESERVE_USERNAME_CASING = False  # compared exactly, by the unique index
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Pupitre] "
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody makes us write to strangers
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 3
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Behind a proxy everybody would come from the proxy's address, and one guesser would close the door to all schools.
ALLAUTH_TRUSTED_PROXY_COUNT = CONFIG.trusted_proxies
# A whole school signs in from one address at eight in the morning; a single account is guarded by its own key.
ACCOUNT_RATE_LIMITS = {
    "login": "600/m/ip",
    "login_failed": "100/m/ip,6/5m/key",
    "reset_password": "20/m/ip,5/h/key",
}
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_PREVENT_ENUMERATION = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_ALLOW_UNVERIFIED_EMAIL = (
    True  # nobody signs up alone with somebody else's address, and children have none
)
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = CONFIG.base_url.startswith("http://")
MFA_TOTP_ISSUER = "Pupitre"
USERSESSIONS_TRACK_ACTIVITY = False
# Sign-in by a school's own provider: which there are and whose accounts they open, `connections` says; no table of allauth's.
SOCIALACCOUNT_ADAPTER = "pupitre.connections.upstream.SchoolAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_STORE_TOKENS = False
# Sign-in to other tools with an account here.
IDP_OIDC_ADAPTER = "pupitre.connections.provider.ToolProvider"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 3600
IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN = 30 * 24 * 3600
IDP_OIDC_RP_INITIATED_LOGOUT_ASKS_FOR_OP_LOGOUT = True
CLASSES_PROVIDER = "pupitre.courses.queries.classes.classes_of_person"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.base_url.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "web_cache",
        # It holds what limits the attempts at passwords and codes. Beyond so many entries it drops some that count still:
        # with Django's 300, whoever tries many names at once is forgotten.
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
}

# Languages. Every context keeps its own catalogues; English is the language of the code.
LANGUAGE_CODE = CONFIG.default_language
LANGUAGES = [
    ("es", "Español"),
    ("ca", "Català"),
    ("fr", "Français"),
    ("de", "Deutsch"),
    ("en", "English"),
    ("pt", "Português"),
]
LOCALE_PATHS = [PACKAGE / "kernel" / "locale"]  # Django looks into its applications alone, and kernel is none
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"

# Assets
STATIC_URL = "/static/"
STATIC_ROOT = CONFIG.data_dir / "static"
_FONTS = find_spec("font_hanken_grotesk")
STATICFILES_DIRS = [("fonts", str(Path(str(_FONTS.origin)).parent / "files"))] if _FONTS else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "pupitre.web.assets.HashedAssets"},
}
# What the service worker takes onto every device, so that kept pages look right without network, and what runs in it.
WORKER_SCRIPTS = ["attendance/outbox.js"]
WORKER_ASSETS = [
    "web/pupitre.css",
    "web/shell.js",
    "web/icons/icon.svg",
    "web/icons/icon-192.png",
    "django_htmx/htmx-2.min.js",
    *(f"fonts/HankenGrotesk-{weight}.otf" for weight in ("Regular", "Medium", "SemiBold", "Bold")),
    "attendance/outbox.js",
    "attendance/register-sheet.js",
    "attendance/day-preload.js",
]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

# Mail
DEFAULT_FROM_EMAIL = SERVER_EMAIL = CONFIG.mail_from
if CONFIG.smtp is not None:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = CONFIG.smtp.host, CONFIG.smtp.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = CONFIG.smtp.user, CONFIG.smtp.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = CONFIG.smtp.tls == "starttls", CONFIG.smtp.tls == "ssl"
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(CONFIG.mail_dir)

# Background work
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_WORKER_DEFAULTS = {"concurrency": 4, "delete_jobs": "successful"}

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# The preview of a large school's timetable asks about some hundred teachers, groups and rooms on one page.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": "pupitre.web.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": CONFIG.log_format}},
    "loggers": {"procrastinate": {"level": "WARNING"}},
    "root": {"handlers": ["stderr"], "level": CONFIG.log_level.upper()},
}
django_stubs_ext.monkeypatch()
