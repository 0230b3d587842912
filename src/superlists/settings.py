"""The site's settings: whatever differs between servers comes from the environment."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("DJANGO_DEBUG", "").lower() in {"1", "true", "yes", "on"}

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "an open secret, good for debugging only" if DEBUG else "")
if not SECRET_KEY:
    # Not ImproperlyConfigured: gunicorn and manage.py would both bury the sentence in a traceback.
    raise SystemExit(
        "DJANGO_SECRET_KEY is not set: give the site a long random value in its environment, "
        "or set DJANGO_DEBUG=1 on your own machine."
    )

ALLOWED_HOSTS = [host.strip() for host in os.environ.get("DJANGO_ALLOWED_HOSTS", "").split(",") if host.strip()]

INSTALLED_APPS = ["django.contrib.staticfiles", "lists"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

SILENCED_SYSTEM_CHECKS = [
    # The site is served over plain HTTP until the proxy in front of it brings TLS. Until then ...
    "security.W004",  # ... browsers ignore an HSTS header that comes over HTTP,
    "security.W008",  # ... a redirect to HTTPS would lead nowhere,
    "security.W016",  # ... and a CSRF cookie marked secure would never come back, so that no form works.
]

ROOT_URLCONF = "superlists.urls"
WSGI_APPLICATION = "superlists.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DJANGO_DATABASE_PATH", BASE_DIR / "db.sqlite3"),
        # A connection for each thread, kept: SQLite removes its -wal and -shm files when the last one closes.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # Readers don't wait for a writer. Said on each connection: a restored snapshot has forgotten it.
            "init_command": "PRAGMA journal_mode=WAL;",
            # A transaction that reads and then writes waits for its turn, instead of failing half way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Nothing links to the plain names. In an image they are all of one time, which is what a browser's cache goes by.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"},
    },
    "root": {"handlers": ["stdout"], "level": "INFO"},
    # Without handlers of its own: Django's would mail the administrators, and there are none.
    "loggers": {"django": {"level": "INFO"}},
}
