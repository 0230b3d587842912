"""What is kept of a release's static files: those with a hash in their names, as Django's manifest says."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.proxy import static
from deploy_plugin.proxy.upstreams import ProxyFolder, make_folder
from deploy_plugin.testing import FakeServer

MANIFEST = {"css/a.css": "css/a.0123.css", "b.js": "b.4567.js", "gone.js": "gone.89ab.js", "plain.txt": "plain.txt"}


def collect(folder: Path) -> None:
    """Leave what ``collectstatic`` leaves."""
    for name in ("css/a.css", "css/a.0123.css", "css/a.0123.css.gz", "b.4567.js", "plain.txt", "css/unknown.css"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
        (folder / name).chmod(0o600)
    (folder / "staticfiles.json").write_text(json.dumps({"version": "1.1", "paths": MANIFEST}))


def taken(root: Path, *left_out: Path) -> dict[str, tuple[int, str]]:
    """Run the code as the container's Python does: names with mode and content."""
    argv = [sys.executable, "-I", "-S", "-c", static.HASHED, str(root), *map(str, left_out)]
    archive = subprocess.run(argv, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {one.name: (one.mode, (tar.extractfile(one) or io.BytesIO()).read().decode()) for one in tar}


def test_only_names_with_a_hash_are_taken_and_anybody_may_read_them(tmp_path: Path) -> None:
    collect(tmp_path / "app" / "staticfiles")
    assert taken(tmp_path) == {"css/a.0123.css": (0o644, "css/a.0123.css"), "b.4567.js": (0o644, "b.4567.js")}


def test_a_link_is_taken_as_what_it_leads_to(tmp_path: Path) -> None:
    collect(tmp_path / "static")
    real = (tmp_path / "static" / "b.4567.js").rename(tmp_path / "elsewhere")
    (tmp_path / "static" / "b.4567.js").symlink_to(real)
    (tmp_path / "static" / "css" / "a.0123.css").unlink()
    (tmp_path / "static" / "css" / "a.0123.css").hardlink_to(real)
    assert {content for _, content in taken(tmp_path).values()} == {"b.4567.js"}


@pytest.mark.parametrize("folder", ["site-packages/demo", "node_modules/demo", "volume"])
def test_what_is_no_static_root_of_the_app_is_passed_over(tmp_path: Path, folder: str) -> None:
    collect(tmp_path / folder)
    assert taken(tmp_path, tmp_path / "volume") == {}
    collect(tmp_path / "z")
    assert len(taken(tmp_path, tmp_path / "volume")) == 2


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name))
    return made.getvalue()


@pytest.fixture
def server(server: FakeServer) -> FakeServer:
    """One whose docker command gives an archive."""
    server.install("docker", f'echo "$1 $2" >{server.home}/told; cat {server.home}/archive')
    make_folder(server, ProxyFolder(server.facts.home))
    return server


def keep(server: FakeServer, content: bytes) -> int:
    (server.home / "archive").write_bytes(content)
    return static.keep(server, "site", "r1", "site-r1", [PurePosixPath("/data")])


def test_they_are_kept_by_release_and_nothing_else_is_left(server: FakeServer) -> None:
    assert keep(server, archive("css/a.0123.css", "b.4567.js")) == 2
    assert (server.home / "told").read_text() == "exec site-r1\n"
    folder = server.home / "deploy/proxy"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == ["static/site/r1/b.4567.js", "static/site/r1/css/a.0123.css"]
    assert [path.name for path in folder.iterdir() if path.name.startswith("kept")] == []
    for path in (folder / "static/site/r1", folder / "static/site/r1/css"):
        assert path.stat().st_mode & 0o777 == 0o755


def test_an_app_without_a_manifest_leaves_an_empty_folder(server: FakeServer) -> None:
    assert keep(server, archive()) == 0
    assert (server.home / "deploy/proxy/static/site/r1").is_dir()


def test_what_can_not_be_taken_is_a_sentence_and_leaves_nothing(server: FakeServer) -> None:
    server.install("docker", "echo 'no space left on device' >&2; exit 1")
    with pytest.raises(StepFailed, match="The static files of site-r1 can't be kept") as caught:
        keep(server, b"")
    assert caught.value.hint.startswith("The server's disk is full")
    assert not (server.home / "deploy/proxy/static").exists()
    assert {path.name for path in (server.home / "deploy/proxy").iterdir()} == {"maintenance", "upstreams"}
