"""An app that is stopped for a while: the server starts it again by itself where the run that stopped it goes away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deploy_plugin import lease
from deploy_plugin.containers import APP, ONE_OFF, ROLE, Containers, is_release
from deploy_plugin.errors import StepFailed
from deploy_plugin.health import Probe, await_healthy
from deploy_plugin.lease_file import SAYS
from deploy_plugin.server.files import detached, script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

# $1: the lease, which is ours; $2: the mark, which holds its token as long as the app is to stand still.
_BEGIN = f"""{SAYS}
lease=$1 mark=$2 tries=100
umask 077
# The server may be about to start what an earlier run stopped: let it.
while [ -e "$mark.late" ] && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
says "$lease" token > "$mark"
"""
_END = 'rm -f -- "$1"'
# $1, $2: as above; $3: what tells a command's container; then what is to run again. Whoever changes the database in a
# container of its own is let finish.
_WATCH = f"""{SAYS}
lease=$1 mark=$2 app=$3 role=$4
shift 4
mine=$(says "$lease" token)
while sleep 1; do
    {{ read -r token < "$mark"; }} 2>/dev/null || exit 0
    [ "$token" = "$mine" ] || exit 0
    [ "$(says "$lease" token)" = "$mine" ] && [ "$(says "$lease" expires)" -gt "$(date +%s)" ] && continue
    while [ -n "$(docker ps -q --filter "label=$app" --filter "label=$role")" ]; do sleep 1; done
    mv -- "$mark" "$mark.late" 2>/dev/null || exit 0
    docker start "$@"
    rm -f -- "$mark.late"
    exit
done
"""


@contextmanager
def standstill(server: Server, containers: Containers, probe: Probe) -> Iterator[None]:
    """Let no container of the app run meanwhile; those of its releases that did run afterwards, and are well.

    The lease has to be held: once it is not renewed any more, the server starts them.
    """
    app, held = containers.app, lease.file_of(server, containers.app.name)
    mark = containers.folder.stopped
    begun = script(server, _BEGIN, held, mark)
    if not begun.ok:
        raise StepFailed("The server can't be made to start the app again by itself.", got=begun.text)
    ran = [one for one in server.engine.containers({APP: app.name}) if one.running]
    # The one that serves as well where it had died: of what the database was, perhaps.
    again = sorted({containers.serving.name, *(one.name for one in ran if is_release(one))})
    detached(server, _WATCH, held, mark, f"{APP}={app.name}", f"{ROLE}={ONE_OFF}", *again)
    try:
        for one in ran:
            server.engine.stop(one.name)
        yield
    finally:
        for name in again:
            server.engine.start_again(name)
        script(server, _END, mark)
        await_healthy(server, containers.serving.name, probe)
