"""Only one at a time changes an app on a server: a small file there says who, and the server's clock until when.

Every operation is one command there, under a lock. The file is its own lock and is written in place, always as many
bytes: renewing it works on a full disk, and nobody ever holds a lock on a file that was replaced.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.errors import DeployError, LeaseHeld, LeaseLost, StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.models import AppFolder
from deploy_plugin.renewal import Renewal
from deploy_plugin.server.files import script
from deploy_plugin.who import who

if TYPE_CHECKING:
    from deploy_plugin.server.base import Result, Server

TTL = 60
"""Seconds that a lease lasts unless it is renewed."""
_BEAT = TTL / 4
"""Seconds between two renewals, while a run lives."""
_POLL = 1.0
"""Seconds between two tries to get it."""
_WAIT, _AGAIN = "Wait with --deploy-wait=SECONDS.", "Wait until then, and type it again."
SAYS = r"""
says() { flock "$1" cat -- "$1" | while IFS='=' read -r key value; do [ "$key" != "$2" ] || echo "$value"; done; }
"""
"""A function of shell for jobs on the server: what the file $1 says of the key $2."""
_REFUSED = 113
_NO_FLOCK = 114
_NOT_FOR_A_LINE = re.compile(r"[^\x20-\x7e]")

# $1: the file. Tokens only grow, even if somebody removes the file: they are times.
_STATE = r"""
umask 077
file=$1
command -v flock >/dev/null || exit 114
exec 9<>"$file"
flock 9 || exit
number() { case $1 in '' | *[!0-9]*) echo 0 ;; *) echo "$1" ;; esac; }
token=0 expires=0 since=0 holder= purpose= unlocked= claim=
while IFS='=' read -r key value; do
    case $key in
    token) token=$(number "$value") ;;
    expires) expires=$(number "$value") ;;
    since) since=$(number "$value") ;;
    holder) holder=$value ;;
    purpose) purpose=$value ;;
    unlocked) unlocked=$value ;;
    claim) claim=$value ;;
    esac
done <"$file"
now=$(date +%s)
lines() {
    echo "token=$token"
    echo "expires=$expires"
    echo "since=$since"
    echo "holder=$holder"
    echo "purpose=$purpose"
    echo "unlocked=$unlocked"
    echo "claim=$claim"
}
put() { printf '%-511s\n' "$(lines)
" | cat 1<>"$file"; }
say() { lines; echo "now=$now"; }
refuse() { say; exit 113; }
held() { [ "$expires" -gt "$now" ]; }
mine() { held && [ "$token" = "$1" ]; }
"""
_THERE = '[ -e "$1" ] || { echo now=0; exit 113; }'
# $2: seconds; $3: who; $4: what for; $5: what only who asks knows
_ACQUIRE = f"""
umask 077
mkdir -p -- "$(dirname -- "$1")" || exit
{_STATE}
! held || refuse
token=$((token + 1))
[ "$token" -gt "$now" ] || token=$now
since=$now expires=$((now + $2)) holder=$3 purpose=$4 unlocked= claim=$5
put && say
"""
# $2: the token; $3: seconds
_RENEW = f"""{_THERE}
{_STATE}
mine "$2" || refuse
expires=$((now + $3))
put
"""
# $2: the claim, which is known before there is a token
_RELEASE = f"""{_THERE}
{_STATE}
[ "$claim" = "$2" ] || exit 0
expires=0
put
"""
# $2: the token; then, maybe, a command
_REQUIRE = f"""{_THERE}
{_STATE}
mine "$2" || refuse
shift 2
[ $# -eq 0 ] || exec "$@" 9>&-
"""
_LOOK = f"{_THERE}\n{_STATE}\nsay"
# $2: who
_BREAK = f"""{_THERE}
{_STATE}
held || refuse
say
expires=0 unlocked=$2
put
"""


@dataclass(frozen=True, slots=True)
class State:
    """What the file says; times are seconds by the server's clock."""

    token: int = 0
    expires: int = 0
    since: int = 0
    now: int = 0
    holder: str = ""
    purpose: str = ""
    unlocked: str = ""
    """Who took it away from its holder."""

    @classmethod
    def read(cls, said: bytes) -> State:
        lines = dict(line.partition("=")[::2] for line in said.decode(errors="replace").splitlines())
        token, expires, since, now = (int(lines.get(name, 0)) for name in ("token", "expires", "since", "now"))
        return cls(token, expires, since, now, *(lines.get(name, "") for name in ("holder", "purpose", "unlocked")))

    @property
    def is_held(self) -> bool:
        return self.expires > self.now

    def __str__(self) -> str:
        return f"{self.holder} ({self.purpose}, since {_clock(self.since)})"


class Lease:
    """The right to change an app on a server: until it is released, runs out, or is taken away.

    It is renewed in a thread of its own. That this fails for a while is nothing to stop for; that it failed for too
    long is said by the next ``require``.
    """

    def __init__(self, server: Server, app: str, target: str, token: int, claim: str) -> None:
        self.token = token
        self._claim = claim
        self._server = server
        self._file = file_of(server, app)
        self._target = target
        self._heart = Renewal(self._renew, _BEAT)

    @property
    def is_kept(self) -> bool:
        """Whether it is still renewed."""
        return self._heart.goes_on

    def require(self) -> None:
        """Raise ``LeaseLost`` if this is not the run any more that may change anything."""
        self._check(_asked(self._server, _REQUIRE, self._file, str(self.token)))

    def run(self, *argv: str | PurePosixPath, stdin: bytes = b"") -> Result:
        """Run a command on the server in the same breath: it is not begun where the lease is lost."""
        done = script(self._server, _REQUIRE, self._file, str(self.token), *argv, stdin=stdin)
        self._check(done)
        return done

    def release(self) -> None:
        """Let the next one begin; again, or where it is lost, it changes nothing."""
        if self._heart.was_ended:
            return
        self._heart.stop()
        _release(self._server, self._file, self._claim)

    def _check(self, done: Result) -> None:
        if _is_refused(done):
            self._heart.end()
            how = _how_it_ended(State.read(done.stdout), self.token)
            raise LeaseLost(
                f"This run's lease {how}: nothing more was changed.",
                hint=f"See what serves there, then deploy again: pytest-deploy status {self._target}",
            )

    def _renew(self) -> bool:
        try:
            done = _asked(self._server, _RENEW, self._file, str(self.token), str(TTL))
        except DeployError:
            return True  # the next one may get through
        return not _is_refused(done)  # if it is, the next change says so


def acquire(server: Server, app: str, target: str, purpose: str, *, wait: float | None = None) -> Lease:
    """Take the app's lease; ``LeaseHeld`` where somebody else holds it for all of ``wait`` seconds.

    It is None for a command, which has no option to wait.
    """
    until = time.monotonic() + (wait or 0)
    claim = secrets.token_hex(8)
    while True:
        state = _acquired(server, app, purpose, claim)
        if isinstance(state, int):
            return Lease(server, app, target, state, claim)
        if time.monotonic() >= until:
            how = _AGAIN if wait is None else _WAIT
            raise LeaseHeld(
                f"{state.holder} is at work on {app} on {target}: {state.purpose}, since {_clock(state.since)}.",
                hint=f"Its lease ends at {_clock(state.expires)} by the server's clock; a run that lives renews it.\n"
                f"{how} If you know that nobody is at work: pytest-deploy unlock {target}",
            )
        time.sleep(_POLL)


@contextmanager
def held(server: Server, app: str, target: str, purpose: str) -> Iterator[Lease]:
    """Hold the app's lease meanwhile."""
    lease = acquire(server, app, target, purpose)
    try:
        yield lease
    finally:
        lease.release()


def look(server: Server, app: str) -> State | None:
    """Say who holds the app's lease; nothing is changed."""
    return _held(_asked(server, _LOOK, file_of(server, app)))


def take_away(server: Server, app: str) -> State | None:
    """Let the app's lease end now, and say whose it was: that run stops before its next change."""
    return _held(_asked(server, _BREAK, file_of(server, app), _line(who())))


def file_of(server: Server, app: str) -> PurePosixPath:
    return AppFolder(server.facts.home, app).lease


def _acquired(server: Server, app: str, purpose: str, claim: str) -> int | State:
    """Give the token; where somebody else holds it, the state that says who."""
    try:
        done = _asked(server, _ACQUIRE, file_of(server, app), str(TTL), _line(who()), purpose, claim)
    except KeyboardInterrupt:
        _release(server, file_of(server, app), claim)  # the server may have given it before the answer was here
        raise
    state = State.read(done.stdout)
    return state if done.exit_code == _REFUSED else state.token


def _release(server: Server, file: PurePosixPath, claim: str) -> None:
    with suppress(DeployError):  # it runs out by itself
        _asked(server, _RELEASE, file, claim)


def _held(done: Result) -> State | None:
    state = State.read(done.stdout)
    return state if state.is_held else None


def _asked(server: Server, text: str, file: PurePosixPath, *arguments: str) -> Result:
    done = script(server, text, file, *arguments)
    if done.ok or _is_refused(done):
        return done
    if done.exit_code == _NO_FLOCK:
        raise StepFailed(
            "There is no flock command on the server, so two deploys could not be kept apart.",
            hint="Install util-linux there: every common distribution has it.",
        )
    hint = hint_for(done.text, "Put it right on the server: the user that deploys must be able to write it.")
    raise StepFailed(f"The lease in {file} can't be read and written.", got=done.text, hint=hint)


def _is_refused(done: Result) -> bool:
    """Tell a refusal from a command that ends with the same exit code."""
    return done.exit_code == _REFUSED and b"now=" in done.stdout[-20:]


def _how_it_ended(state: State, token: int) -> str:
    if state.token == token and state.unlocked:
        return f"was taken away by {state.unlocked}"
    if state.token == token:
        return f"ended at {_clock(state.expires)}, as nothing was heard of it for {TTL} s"
    return f"ended, and {state} holds it now" if state.is_held else "ended, and another run was there since"


def _clock(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _line(text: str) -> str:
    """Make it one that the file can hold: short, and as many bytes as it has characters."""
    return _NOT_FOR_A_LINE.sub("?", text)[:100]
