"""The site's settings for its tests: nothing needs to be set, and no static file to be collected."""

import os

os.environ.setdefault("DJANGO_SECRET_KEY", "a key that every test may know")

from superlists.settings import *  # noqa: F403

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# WhiteNoise looks for files where they are written, as with DEBUG.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
