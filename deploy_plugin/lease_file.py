"""The file on the server that says who changes an app there: what is done with it, under its lock, and what it says.

It is its own lock and is written in place, always as many bytes: renewing it works on a full disk, and nobody ever
holds a lock on a file that was replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Result, Server

SAYS = r"""
says() { flock "$1" cat -- "$1" | while IFS='=' read -r key value; do [ "$key" != "$2" ] || echo "$value"; done; }
"""
"""A function of shell for jobs on the server: what the file $1 says of the key $2."""
REFUSED = 113
_NO_FLOCK = 114

# $1: the file. Tokens only grow, even if somebody removes the file: they are times.
_STATE = r"""
umask 077
file=$1
command -v flock >/dev/null || exit 114
exec 9<>"$file"
flock 9 || exit
token=0 expires=0 since=0 holder= purpose= unlocked= claim=
while IFS='=' read -r key value; do
    number=$value
    case $value in '' | *[!0-9]*) number=0 ;; esac
    case $key in
    token) token=$number ;;
    expires) expires=$number ;;
    since) since=$number ;;
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
ACQUIRE = f"""
umask 077
mkdir -p -- "$(dirname -- "$1")" || exit
{_STATE}
! held || refuse
# Whose it was until then trusts in it for a moment: see TRUST in lease.py.
if [ "$unlocked" ] && [ $((now - expires)) -lt 3 ]; then
    sleep 3
    now=$(date +%s)
fi
token=$((token + 1))
[ "$token" -gt "$now" ] || token=$now
since=$now expires=$((now + $2)) holder=$3 purpose=$4 unlocked= claim=$5
put && say
"""
# $2: the token; $3: seconds
RENEW = f"""{_THERE}
{_STATE}
mine "$2" || refuse
expires=$((now + $3))
put
"""
# $2: the claim, which is known before there is a token
RELEASE = f"""{_THERE}
{_STATE}
[ "$claim" = "$2" ] || exit 0
expires=0
put
"""
# $2: the token; then, maybe, a command
REQUIRE = f"""{_THERE}
{_STATE}
mine "$2" || refuse
shift 2
[ $# -eq 0 ] || exec "$@" 9>&-
"""
LOOK = f"{_THERE}\n{_STATE}\nsay"
# $2: who
BREAK = f"""{_THERE}
{_STATE}
held || refuse
say
expires=$now unlocked=$2
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
        return f"{self.holder} ({self.purpose}, since {clock(self.since)})"


def asked(server: Server, text: str, file: PurePosixPath, *arguments: str) -> Result:
    """Do one of these with the file; a refusal is a result, ``StepFailed`` says what else goes wrong."""
    done = script(server, text, file, *arguments)
    if done.ok or is_refused(done):
        return done
    if done.exit_code == _NO_FLOCK:
        raise StepFailed(
            "There is no flock command on the server, so two deploys could not be kept apart.",
            hint="Install util-linux there: every common distribution has it.",
        )
    hint = hint_for(done.text, "Put it right on the server: the user that deploys must be able to write it.")
    raise StepFailed(f"The lease in {file} can't be read and written.", got=done.text, hint=hint)


def is_refused(done: Result) -> bool:
    """Tell a refusal from a command that ends with the same exit code."""
    return done.exit_code == REFUSED and b"now=" in done.stdout[-20:]


def clock(seconds: int) -> str:
    """Tell a time of the file, for people."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
