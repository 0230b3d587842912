"""What was wrong on the server before we came: it warns, and is nobody's failed deploy."""

from __future__ import annotations

import time
import warnings

from testinfra.host import Host

from deploy_plugin.errors import ServerWarning
from deploy_plugin.models import Deployment

SECONDS_OFF = 30
PERCENT_USED = 90
SSH = 22


def test_the_clock_is_right(host: Host) -> None:
    off = abs(int(host.check_output("date +%s")) - time.time())

    assert off >= 0
    if off > SECONDS_OFF:
        warnings.warn(f"The server's clock is {off:.0f} s off: set up NTP there.", ServerWarning, stacklevel=1)


def test_the_disk_has_room(host: Host, deployment: Deployment) -> None:
    used = int(host.check_output("df -P %s", str(deployment.folder.path)).splitlines()[1].split()[4].rstrip("%"))

    assert 0 <= used <= 100
    if used > PERCENT_USED:
        warnings.warn(
            f"The server's disk is {used} % full: docker system df shows by what.", ServerWarning, stacklevel=1
        )


def test_nothing_else_listens(host: Host, deployment: Deployment) -> None:
    sockets = [socket.split(":") for socket in host.socket.get_listening_sockets() if socket.startswith("tcp")]
    open_ports = {int(parts[-1]) for parts in sockets if not parts[1].strip("/").startswith("127.")}

    assert deployment.target.publish in open_ports
    for port in sorted(open_ports - {SSH, deployment.target.publish}):
        warnings.warn(f"Something else listens on port {port} of the server.", ServerWarning, stacklevel=1)
