"""The proxy in front: what its visitors see of a deploy, and of a restart."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest

from deploy_plugin.sandbox.inventory import container_name
from tests.integration.projects import Project
from tests.integration.servers import RealServer
from tests.integration.visitors import Visitor

WRITERS, READERS = 6, 4
TEXTS = "from lists.models import *; print(*Item.objects.values_list('text', flat=True), sep=chr(10))"
# As a server does that restarts Docker: what started it here must not see it end, or the sandbox would end too.
RESTART_DOCKER = """
set -e
kill -STOP "$(pgrep -x bash -P 1)"
kill "$(cat /run/docker.pid)"
while [ -e /run/docker.pid ]; do sleep 0.1; done
setsid dockerd </dev/null >/var/log/docker.log 2>&1 &
for _ in $(seq 300); do docker version >/dev/null 2>&1 && exit; sleep 0.1; done
cat /var/log/docker.log; exit 1
"""
# Its program carries a capability of its own, as that of the official image does.
WITH_A_CAPABILITY = """
FROM caddy:2.11 AS caddy
FROM python:3.11-slim-bookworm
RUN apt-get update -qq && apt-get install -qq --no-install-recommends libcap2-bin >/dev/null
COPY --from=caddy /usr/bin/caddy /usr/bin/caddy
RUN setcap cap_net_bind_service=+ep /usr/bin/caddy
"""


@dataclass
class Reader:
    """Asks for the home page and for a static file, over a connection that is kept, as fast as they come."""

    url: str
    read: int = 0
    refused: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        while not self.over.is_set():
            try:
                connection.request("GET", "/health" if self.read % 2 else "/")
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.refused.append(repr(error))
            else:
                self.read += 1
                if answer.status != http.HTTPStatus.OK:
                    self.refused.append(str(answer.status))
        connection.close()


@dataclass
class Upload:
    """A form that is sent in two halves."""

    url: str
    text: str

    def __enter__(self) -> Self:
        token = "a" * 32
        body = f"csrfmiddlewaretoken={token}&text={self.text}".encode()
        head = f"POST / HTTP/1.1\r\nHost: {urlsplit(self.url).netloc}\r\nUser-Agent: {self.text}\r\n"
        head += f"Cookie: csrftoken={token}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self._rest = body[10:]
        self._socket = socket.create_connection((str(urlsplit(self.url).hostname), 80), timeout=60)
        self._socket.sendall(head.encode() + body[:10])
        return self

    def finish(self) -> int:
        """Send the second half, and give the answer's status."""
        for byte in self._rest:
            self._socket.sendall(bytes([byte]))
        answer = http.client.HTTPResponse(self._socket)
        answer.begin()
        return answer.status

    def __exit__(self, *_: object) -> None:
        self._socket.close()


@pytest.fixture
def served(empty_server: RealServer, project: Project) -> RealServer:
    run = project.pytest(f"--deploy-to={empty_server.target}")
    assert run.exit_code == 0, run.output
    return empty_server


def change(project: Project, text: str) -> None:
    project.edit("src/lists/views.py", "def home(", f"# {text}\ndef home(")


def await_status(server: RealServer, status: int) -> None:
    for _ in range(600):
        if server.status("/health") == status:
            return
        time.sleep(0.1)
    raise AssertionError(f"it answers {server.status('/health')}")


def await_alone(server: RealServer) -> None:
    """Wait until what served before has ended."""
    for _ in range(600):
        if len(server.releases()) == 1:
            return
        time.sleep(0.1)
    raise AssertionError(server.releases())


def test_no_request_fails_while_releases_follow_each_other(served: RealServer, project: Project) -> None:
    url = served.sandbox.url
    writers = [Visitor(url) for _ in range(WRITERS)]
    readers = [Reader(url) for _ in range(READERS)]
    project.edit("deploy.toml", "port = 8888", "port = 8888\ndrain = 5")
    threads = [threading.Thread(target=reader) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        with ExitStack() as stack:
            for number, writer in enumerate(writers):
                stack.enter_context(writer.writing(f"writer {number}"))
            for number in range(3):
                change(project, f"Release {number}.")
                run = project.pytest(f"--deploy-to={served.target}")
                assert run.exit_code == 0, run.output
                assert run.outcomes["Switch"] == "changed"
            await_alone(served)
    finally:
        for reader in readers:
            reader.over.set()
        for thread in threads:
            thread.join()

    acknowledged = {text for writer in writers for text in writer.acknowledged}
    assert [refused for writer in writers for refused in writer.refused] == []
    assert [refused for reader in readers for refused in reader.refused] == []
    assert len(acknowledged) > 30
    assert sum(reader.read for reader in readers) > 300
    assert acknowledged <= set(served.shell(TEXTS).splitlines())


def test_a_request_that_began_before_the_run_is_finished_after_it(served: RealServer, project: Project) -> None:
    change(project, "Another release.")
    old = served.serving()
    with Upload(served.sandbox.url, "slow-upload") as upload:
        time.sleep(1)  # it has arrived at the old release by then, which its log proves below
        run = project.pytest(f"--deploy-to={served.target}")
        assert run.exit_code == 0, run.output
        assert served.serving() != old
        status = upload.finish()

    assert status == http.HTTPStatus.FOUND
    assert "slow-upload" in served.shell(TEXTS).splitlines()
    assert '"POST / HTTP/1.1" 302 0 "-" "slow-upload"' in served.sh(f"docker logs {old.split()[0]} 2>&1")


def test_pages_of_the_release_before_still_get_their_styles(served: RealServer, project: Project) -> None:
    project.edit("deploy.toml", "port = 8888", "port = 8888\ndrain = 1")
    before = styles(served)
    content = fetch(served, before)
    sheet = "src/lists/static/lists/style.css"
    project.write(sheet, (project.folder / sheet).read_text(encoding="utf-8") + "/* another */\n")

    run = project.pytest(f"--deploy-to={served.target}")
    at_once = fetch(served, before)
    await_alone(served)

    assert run.exit_code == 0, run.output
    assert run.outcomes["Keep static files"] == "changed"
    assert styles(served) != before
    assert b"/* another */" in fetch(served, styles(served))
    assert at_once == fetch(served, before) == content
    assert served.status("/static/lists/style.000000000000.css") == 404
    assert served.status("/static/lists/style.css") == 404
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(served.sandbox.url + before, b"", timeout=10)  # noqa: S310 - a loopback address


def styles(server: RealServer) -> str:
    """Give the path of the style sheet that the home page links."""
    found = re.search(r"/static/[^\"]*\.css", fetch(server, "/").decode())
    assert found
    return found[0]


def fetch(server: RealServer, path: str, host: str = "") -> bytes:
    headers = {"Host": host} if host else {}
    request = urllib.request.Request(server.sandbox.url + path, headers=headers)  # noqa: S310 - a loopback address
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return bytes(answer.read())


def test_two_apps_share_one_proxy_each_with_its_host(served: RealServer, project: Project, tmp_path: Path) -> None:
    blog = Project.copy_of_the_site(tmp_path / "blog")
    blog.edit("deploy.toml", 'name = "superlists"', 'name = "blog"')
    target = f'[targets.staging]\nhost = "{served.target}"\nurl = "http://blog.example.com"'
    blog.edit("deploy.toml", '[targets.staging]\nhost = "sandbox:staging"', target)
    blog.edit("src/lists/templates/lists/home.html", "Start a to-do list", "Start a blog")
    proxy = served.containers()["proxy-80"]

    run = blog.pytest("--deploy-to=staging")
    again = project.pytest(f"--deploy-to={served.target}")

    assert run.exit_code == 0, run.output
    assert run.outcomes["Ship the proxy"] == "ok"
    assert b"Start a blog" in fetch(served, "/", "blog.example.com")
    assert b"Start a to-do list" in fetch(served, "/")
    assert served.containers()["proxy-80"] == proxy
    assert set(again.outcomes.values()) == {"ok"}
    served.sh("docker restart proxy-80")
    await_status(served, 200)
    assert b"Start a blog" in fetch(served, "/", "blog.example.com")


def test_an_app_that_was_published_itself_is_taken_over(empty_server: RealServer, project: Project) -> None:
    project.edit("deploy.toml", "[app]", '[app]\nproxy = "none"')
    first = project.pytest(f"--deploy-to={empty_server.target}")
    assert first.exit_code == 0, first.output
    visitor = Visitor(empty_server.sandbox.url)
    visitor.add("Kept through it all")
    published = empty_server.serving()
    project.edit("deploy.toml", 'proxy = "none"\n', "")

    second = project.pytest(f"--deploy-to={empty_server.target}")

    assert second.exit_code == 0, second.output
    assert empty_server.status("/health") == 200
    assert empty_server.serving() != published
    assert empty_server.releases() == {empty_server.serving().split()[0]}
    assert "Kept through it all" in empty_server.shell(TEXTS)


def test_the_site_comes_back_after_docker_was_restarted(served: RealServer) -> None:
    before = served.serving()

    served.as_root(RESTART_DOCKER)

    await_status(served, 200)
    assert served.serving() == before


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_site_comes_back_after_a_reboot_and_after_a_power_cut(served: RealServer, end: str) -> None:
    before = served.serving()

    for verb in (end, "start"):
        subprocess.run(["docker", verb, container_name(served.sandbox)], check=True, capture_output=True)

    await_status(served, 200)
    assert served.serving() == before


@pytest.fixture
def capable(empty_server: RealServer) -> Iterator[str]:
    """A proxy's image on the server whose program carries a capability."""
    name = "test-caddy-with-a-capability"
    subprocess.run(["docker", "build", "-q", "-t", name, "-"], input=WITH_A_CAPABILITY, check=True, text=True)
    ssh = f"ssh -F {empty_server.sandbox.ssh_config} {empty_server.sandbox.destination.partition(':')[0]}"
    subprocess.run(f"docker save {name} | {ssh} docker load", shell=True, check=True, capture_output=True)  # noqa: S602
    empty_server.sh(f"docker image rm -f caddy:2.11 >/dev/null 2>&1; docker tag {name} caddy:2.11")
    yield name
    empty_server.sh("docker rm -f proxy-80; docker image rm -f caddy:2.11")
    subprocess.run(["docker", "image", "rm", name], check=True, capture_output=True)


def test_a_program_that_carries_a_capability_is_started(
    empty_server: RealServer, project: Project, capable: str
) -> None:
    assert capable
    run = project.pytest(f"--deploy-to={empty_server.target}")

    assert run.exit_code == 0, run.output
    assert run.outcomes["Ship the proxy"] == "ok"
    assert empty_server.status("/health") == 200
