"""A site with accounts: who logged in stays so as long as session, user and key are there."""

from __future__ import annotations

import re
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from tests.integration.projects import Project

_VIEWS = """
from django.contrib import auth
from django.http import HttpResponse


def account(request):
    if request.method == "POST":
        user = auth.authenticate(request, username=request.POST["name"], password=request.POST["password"])
        auth.login(request, user)
    return HttpResponse(f"You are {request.user.get_username() or 'nobody'}.")
"""


def add_accounts(project: Project) -> None:
    """Give the site sessions, users, and a page that says who one is."""
    apps = '"django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"'
    settings = "src/superlists/settings.py"
    project.edit(settings, '["django.contrib.staticfiles"', f'[{apps}, "django.contrib.staticfiles"')
    names = ("sessions.middleware.SessionMiddleware", "auth.middleware.AuthenticationMiddleware")
    added = "".join(f'\n    "django.contrib.{name}",' for name in names)
    common = '    "django.middleware.common.CommonMiddleware",'
    project.edit(settings, common, f"{common}{added}")
    project.write("src/superlists/accounts.py", _VIEWS)
    project.edit("src/superlists/urls.py", "urlpatterns = [", 'urlpatterns = [\n    path("account", account),')
    project.edit("src/superlists/urls.py", "from lists", "from superlists.accounts import account\nfrom lists")


class Account:
    """A visitor with an account, and with a browser that keeps cookies."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def log_in(self, name: str, password: str) -> None:
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', self._read("/"))
        assert token
        form = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], "name": name, "password": password}).encode()
        self._browser.open(f"{self._url}/account", form, timeout=30).close()

    @property
    def name(self) -> str:
        """Who the site says that one is."""
        return self._read("/account").removeprefix("You are ").removesuffix(".")

    def _read(self, path: str) -> str:
        with self._browser.open(self._url + path, timeout=30) as answer:
            return str(answer.read().decode())
