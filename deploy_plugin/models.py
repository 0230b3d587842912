"""The words of this project as values: frozen, and without any I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret comes from: exactly one of the three is set."""

    generate: int | None = None
    """Make a random value of this many characters on the first deploy, and keep it on the server."""
    from_env: str | None = None
    """The environment variable, here, that holds it."""
    command: tuple[str, ...] | None = None
    """The command, here, that prints it."""


@dataclass(frozen=True, slots=True)
class App:
    """What is deployed. Paths are in the container, but for ``context``."""

    name: str
    context: Path
    """The build context on this machine, with its Dockerfile."""
    port: int | None = None
    """Where the app listens in its container; the image's EXPOSE where it is None."""
    health: str = "/"
    manage: str = "manage.py"
    platform: str | None = None
    """``linux/amd64`` and the like; the server's own where it is None."""
    env: Mapping[str, str] = field(default_factory=dict)
    """May hold ``{host}``, ``{url}`` and ``{release}``."""
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)
    volumes: Mapping[str, PurePosixPath] = field(default_factory=dict)
    """Folder name on the server to the path where the container sees it."""
    database: PurePosixPath | None = None
    """The SQLite file; its folder is mounted."""
    migration_limit: int = 900
    """Seconds that all of a release's migrations together may take."""
    proxied: bool = True
    """Whether a proxy stands in front, which switches without a failed request; else the app is published itself."""
    confirm: int = 600
    """Seconds without a word from the run, after which the server goes back to the release before by itself."""
    drain: int = 30
    """Seconds that the old release has to finish what it began, once visitors go to the new one."""
    keep_releases: int = 5
    """How many releases, the newest, stay on the server, to be gone back to."""
    maintenance: Path | None = None
    """The page that visitors get during a downtime, on this machine; ours where it is None."""
    static: str = "/static/"
    """The path, with a slash at both ends, of files whose names carry a hash; none are kept where it is empty."""


ROLLBACK, KEEP = "rollback", "keep"
"""What failing tests do."""
READ_ONLY = ("check", "showmigrations", "migrate --check", "migrate --plan")
"""The management commands that a live target allows where it does not say which."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to."""

    name: str
    destination: str
    """``[user@]host[:port]``, as for ssh."""
    url: str
    """Where visitors find the site, without a slash at the end."""
    live: bool = False
    publish: int = 80
    """The server's port that the site is published on."""
    ssh_config: Path | None = None
    identity_file: Path | None = None
    sandbox: str | None = None
    """The sandbox's name, where the target is one."""
    first: bool = False
    """Whether a deploy may begin here without a database, although it is live."""
    downtime: bool = False
    """Whether a migration may have one that the release before can't live with, or that takes too long."""
    show_values: bool = False
    """Whether what rows hold may be shown, where a migration fails on them."""
    wait: int = 0
    """Seconds that a deploy waits here for another one to end."""
    on_failure: str | None = None
    """What failing tests do, ``rollback`` or ``keep``; where it is not said, they roll back on live alone."""
    manage_allow: tuple[str, ...] | None = None
    """The management commands that tests may run here, each with its first options; None where it does not say."""
    testinfra: str = ""
    """How testinfra reaches it; by ssh, over the run's own connection, where it is empty."""

    @property
    def rolls_back(self) -> bool:
        """Whether a release that fails its tests is taken back."""
        return self.on_failure == ROLLBACK if self.on_failure else self.live

    @property
    def allowed(self) -> Sequence[str] | None:
        """The management commands that tests may run here; None where it is all of them."""
        return READ_ONLY if self.manage_allow is None and self.live else self.manage_allow

    def allows(self, *arguments: str) -> bool:
        """Whether tests may run this management command here."""
        words = (tuple(command.split()) for command in self.allowed or ())
        return self.allowed is None or any(arguments[: len(first)] == first for first in words)

    @property
    def testinfra_host(self) -> str:
        return self.testinfra or f"ssh://{self.destination}"

    @property
    def host(self) -> str:
        """The name that visitors use, without scheme and port: what ALLOWED_HOSTS must hold."""
        bare = self.netloc.endswith("]")  # an IPv6 address without a port
        return self.netloc if bare else self.netloc.rpartition(":")[0] or self.netloc

    @property
    def netloc(self) -> str:
        """The Host header that a browser sends."""
        return self.url.partition("://")[2].partition("/")[0]


@dataclass(frozen=True, slots=True)
class Release:
    """One immutable version of the app on one server."""

    id: str
    """``20261124-031205-1a2b3c4``: the time it was made (UTC), and the commit."""
    commit: str
    """The whole hash; ``+changes`` behind it where the build context held something uncommitted."""
    image: str
    """``name:tag``; the tag is made from the build context's content, so that the same tree is the same image."""


class Outcome(StrEnum):
    """What became of a step, in the words of Ansible's recap."""

    OK = "ok"
    CHANGED = "changed"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    RESCUED = "rescued"


@dataclass(frozen=True, slots=True)
class StepReport:
    """What became of one step: ``reason`` says what was missing, or what went wrong."""

    title: str
    outcome: Outcome
    seconds: float
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Recap:
    """What became of all steps of a run, in their order."""

    steps: Sequence[StepReport] = ()

    def count(self, outcome: Outcome) -> int:
        return sum(step.outcome is outcome for step in self.steps)

    @property
    def outcome(self) -> Outcome:
        """The worst that happened."""
        worst_first = (Outcome.RESCUED, Outcome.UNREACHABLE, Outcome.FAILED, Outcome.CHANGED)
        return next((outcome for outcome in worst_first if self.count(outcome)), Outcome.OK)

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)


@dataclass(frozen=True, slots=True)
class AppFolder:
    """Everything of one app on a server: ``deploy/<app>`` in the deploy user's home."""

    LEASE: ClassVar[str] = "lease"
    home: PurePosixPath
    app: str

    @property
    def path(self) -> PurePosixPath:
        return self.home / "deploy" / self.app

    @property
    def target_file(self) -> PurePosixPath:
        """What this server is: the app, live or not."""
        return self.path / "target.json"

    @property
    def env_file(self) -> PurePosixPath:
        """The server's own secrets, 0600."""
        return self.path / ".env"

    @property
    def lease(self) -> PurePosixPath:
        """Who changes the app now, and until when."""
        return self.path / self.LEASE

    @property
    def data(self) -> PurePosixPath:
        """The folder that holds the database; mounted into the container."""
        return self.path / "data"

    def volume(self, name: str) -> PurePosixPath:
        return self.path / name

    @property
    def snapshots(self) -> PurePosixPath:
        return self.path / "snapshots"

    def snapshot(self, release_id: str) -> PurePosixPath:
        """The database as it was right before the release's migrations."""
        return self.snapshots / f"db-{release_id}.sqlite3"

    @property
    def rehearsal(self) -> PurePosixPath:
        """Where a copy of the database is migrated first; it is there only meanwhile."""
        return self.path / "rehearsal"

    @property
    def unconfirmed(self) -> PurePosixPath:
        """Until when the server waits for a word of the run that switched, and for which container."""
        return self.path / "unconfirmed"

    @property
    def downtime(self) -> PurePosixPath:
        """What comes back if a downtime does not end well."""
        return self.path / "downtime"

    @property
    def stopped(self) -> PurePosixPath:
        """That the app stands still for a while, and for whom."""
        return self.path / "stopped"

    @property
    def adopting(self) -> PurePosixPath:
        """How far a takeover is; it has two more names, which begin with this one and a dot."""
        return self.path / "adopting"

    @property
    def releases(self) -> PurePosixPath:
        """What is known of each release: its settings and its record."""
        return self.path / "releases"

    def record(self, release_id: str) -> PurePosixPath:
        return self.releases / f"{release_id}.json"

    def settings(self, release_id: str) -> PurePosixPath:
        """The settings of one release, secrets included, 0600: never changed once written."""
        return self.releases / f"{release_id}.env"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a run left on the target, or found there: what the tests receive."""

    app: App
    target: Target
    release: Release
    container: str
    """The name of the container that serves."""
    port: int
    """Where the app listens in its container."""
    front: str
    """The name of the container that holds the target's port: the proxy, or the app's own."""
    user: tuple[int, int]
    """The uid and gid that the container runs as, and that own the data."""
    folder: AppFolder
    recap: Recap = Recap()
    door: str = ""
    """Where this run's tests reach the site while visitors get the maintenance page; empty where they don't."""

    @property
    def proxied(self) -> bool:
        """Whether visitors come through the proxy."""
        return self.front != self.container

    @property
    def url(self) -> str:
        """Where tests find the site."""
        return self.door or self.target.url
