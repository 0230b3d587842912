"""What is cleared away after a deploy that worked: old releases and snapshots, and what failed and killed runs left."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from deploy_plugin import past, records
from deploy_plugin.containers import APP, CANDIDATE, FOLDER, IMAGE, MIGRATES, ONE_OFF, RELEASE, ROLE
from deploy_plugin.database import kept
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import App, AppFolder
from deploy_plugin.past import Past
from deploy_plugin.proxy.upstreams import ProxyFolder
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server
    from deploy_plugin.server.engine import Listed

_OURS = re.compile(rf"({records.ADOPTED}-)?[0-9a-f]{{12}}")
"""The tag of an image that we named; what somebody tagged by hand is theirs."""
# $1: the folder of a rehearsal; $2: that of settings; $3: that of static files; then the releases that stay.
_SWEEP = """
rehearsal=$1 releases=$2 static=$3
shift 3
stays() { for id do [ "$id" != "$name" ] || return 0; done; return 1; }
rm -rf -- "$rehearsal"
for path in "$releases"/*.env "$static"/*; do
    [ -e "$path" ] || continue
    name=${path##*/}
    name=${name%.env}
    stays "$@" || rm -rf -- "$path"
done
"""

_IS_THERE = '[ -e "$1" ]'


def prune(server: Server, app: App, serves: str, before: Iterable[str] = ()) -> Sequence[str]:
    """Remove what no release needs that may serve again, and name the images that went.

    ``serves`` is the release that does; ``before`` are those that did right before.
    """
    folder = AppFolder(server.facts.home, app.name)
    with ThreadPoolExecutor() as at_once:  # a server can be far, and each of them is a way there and back
        recorded = at_once.submit(records.every, server, folder)
        tagged = at_once.submit(server.engine.tagged, app.name)
        every = [one for one in server.engine.listing() if _is_ours(one, folder)]
    images = [image.reference for image in tagged.result()]
    newest_first = past.of(recorded.result(), images)
    running = {one.labels.get(RELEASE, "") for one in every if one.running}
    stay = staying(newest_first, serves, app.keep_releases) | running | set(before)
    left = [one for one in every if not _leaves(one, stay)]
    with ThreadPoolExecutor() as at_once:
        list(at_once.map(server.engine.remove, [one.name for one in every if one not in left]))
    static = ProxyFolder(server.facts.home).static(app.name, serves).parent
    script(server, _SWEEP, folder.rehearsal, folder.releases, static, *sorted(stay))
    needed = {one.image for one in newest_first if one.id in stay} | {one.labels.get(IMAGE) for one in left}
    gone = [name for name in images if _OURS.fullmatch(name.rpartition(":")[2]) and name not in needed]
    kept.prune(server, folder)
    return [name for name in gone if _is_removed(server, name)]


def is_needed(server: Server, app: App) -> bool:
    """Whether a run that was killed left a copy of the database, and maybe containers that use it.

    Nothing else is left by a rollback, after which the next deploy may have nothing to change.
    """
    return script(server, _IS_THERE, AppFolder(server.facts.home, app.name).rehearsal).ok


def staying(newest_first: Sequence[Past], serves: str, count: int) -> set[str]:
    """Choose the releases that stay: the newest ``count``, the one that serves, and where a rollback would go to."""
    newest = [one.id for one in newest_first if not one.gone][:count]
    target = past.before(newest_first, serves)
    return {*newest, serves, *([target.id] if target else [])}


def _is_ours(one: Listed, folder: AppFolder) -> bool:
    labels = one.labels
    return labels.get(APP) == folder.app and labels.get(FOLDER, str(folder.path)) == str(folder.path)


def _leaves(one: Listed, stay: set[str]) -> bool:
    role = one.labels.get(ROLE)
    if role == ONE_OFF:
        return not (one.running and one.name.endswith(MIGRATES))
    return role == CANDIDATE or one.labels.get(RELEASE) not in stay


def _is_removed(server: Server, image: str) -> bool:
    """Docker refuses where anybody's container uses it, and that is as it should be."""
    with suppress(StepFailed):
        server.engine.remove_image(image)
        return True
    return False
