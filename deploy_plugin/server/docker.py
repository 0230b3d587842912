"""A Docker engine behind a socket, through Docker's own SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from deploy_plugin.server import answers, making
from deploy_plugin.server.engine import Container, ContainerSpec, Finished, Image, Listed, Made, Store, Stored, Tagged
from deploy_plugin.server.engine_errors import OLDEST_API, engine_words, not_taken, too_old
from deploy_plugin.server.local import knock
from deploy_plugin.server.sharing import share_connections

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container as SdkContainer

LOAD_TIMEOUT = 900
"""Seconds that Docker may keep silent: a big image on a slow disk takes its time."""

_SNAPSHOTTER = "io.containerd.snapshotter.v1"
_AT_A_TIME = 16


class DockerEngine:
    """An ``Engine`` that speaks to a socket on this machine; the server's, when ssh forwards it."""

    def __init__(self, client: DockerClient) -> None:
        self._client = client

    def image(self, reference: str) -> Image | None:
        from docker.errors import ImageNotFound

        with engine_words(f"look at the image {reference}"):
            try:
                attributes = self._client.images.get(reference).attrs
            except ImageNotFound:
                return None
        return answers.image(reference, attributes)

    def load(self, archive: Iterable[bytes]) -> None:
        with engine_words("load the image"):
            load: Callable[[Iterable[bytes]], Iterator[dict[str, str]] | None] = self._client.api.load_image
            for message in load(archive) or ():
                if "error" in message:
                    raise not_taken(message["error"])

    def store(self) -> Store:
        status = self._info.get("DriverStatus") or ()
        return Store.CONTAINERD if any(_SNAPSHOTTER in pair for pair in status) else Store.CLASSIC

    def root(self) -> PurePosixPath:
        return PurePosixPath(self._info["DockerRootDir"])

    def layer_sizes(self, reference: str) -> Sequence[int]:
        with engine_words(f"look at the image {reference}"):
            history = cast("Any", self._client.api).history(reference)
            layers = self._client.images.get(reference).attrs["RootFS"].get("Layers") or ()
        return answers.sizes(history, len(layers))

    def stored(self, first: str) -> Iterator[Stored]:
        with engine_words("list its images"):
            summaries = self._client.api.images(all=True)
        summaries.sort(key=lambda summary: not answers.is_of(first, summary))
        # A request each, and a server may have hundreds: some at a time, and mostly the first are enough.
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            for start in range(0, len(summaries), _AT_A_TIME):
                yield from filter(None, pool.map(self._stored, summaries[start : start + _AT_A_TIME]))

    def _stored(self, summary: Mapping[str, Any]) -> Stored | None:
        from docker.errors import ImageNotFound

        with engine_words("look at its images"):
            try:
                layers = self._client.images.get(summary["Id"]).attrs["RootFS"].get("Layers")
            except ImageNotFound:  # removed meanwhile, or incomplete
                return None
        return Stored(tuple(layers or ()), summary["Labels"] or {})

    def tagged(self, repository: str) -> Sequence[Tagged]:
        with engine_words(f"list the images of {repository}"):
            summaries = self._client.api.images(name=repository)
        return [one for summary in summaries for one in answers.tagged(repository, summary)]

    def remove_image(self, reference: str) -> None:
        from docker.errors import ImageNotFound

        with engine_words(f"remove the image {reference}"), suppress(ImageNotFound):
            self._client.api.remove_image(reference)

    def prune(self, label: str) -> None:
        with engine_words("remove what was half-way"):
            self._client.images.prune({"dangling": True, "label": [label]})

    def save(self, reference: str) -> Iterator[bytes]:
        """Give the image as an archive, piece by piece."""
        with engine_words(f"save the image {reference}"):
            yield from self._client.api.get_image(reference)

    def ensure_network(self, name: str) -> None:
        with engine_words(f"make the network {name}"):
            if not self._client.networks.list(names=[f"^{name}$"]):
                self._client.networks.create(name, driver="bridge")

    def containers(self, labels: Mapping[str, str]) -> Sequence[Container]:
        filters: dict[str, Any] = {"label": [f"{key}={value}" for key, value in labels.items()]}
        with engine_words("list containers"):
            names = [summary["Id"] for summary in self._client.api.containers(all=True, filters=filters)]
            if not names:
                return ()
            with ThreadPoolExecutor(_AT_A_TIME) as pool:
                return [found for found in pool.map(self.container, names) if found]  # or removed meanwhile

    def listing(self) -> Sequence[Listed]:
        with engine_words("list all containers"):
            return [answers.listed(one) for one in self._client.api.containers(all=True)]

    def container(self, name: str) -> Container | None:
        from docker.errors import NotFound

        with engine_words(f"look at the container {name}"):
            try:
                return answers.container(self._client.api.inspect_container(name))
            except NotFound:
                return None

    def made(self, name: str) -> Made:
        with engine_words(f"look at the container {name}"):
            attributes = self._client.containers.get(name).attrs
            image = self._client.images.get(attributes["Image"]).attrs
        return answers.made(attributes, image)

    def derive(self, name: str, reference: str, links: Mapping[PurePosixPath, PurePosixPath]) -> None:
        repository, _, tag = reference.partition(":")
        with engine_words(f"make {reference}"):
            made = self._client.containers.get(name).attrs
            its = made["Config"]
            # Not the container itself: what it wrote, and its secrets, are to be in no image.
            plain = self._client.containers.create(
                made["Image"], its["Cmd"], entrypoint=its["Entrypoint"], working_dir=its["WorkingDir"]
            )
            try:
                plain.put_archive("/", answers.links(links))
                plain.commit(repository, tag)
            finally:
                plain.remove(force=True, v=True)

    def create(self, spec: ContainerSpec) -> None:
        with engine_words(f"create {spec.name}"):
            self._create(spec)

    def start(self, spec: ContainerSpec) -> Container:
        with engine_words(f"start {spec.name}"):
            created = self._create(spec)
            try:
                created.start()
            except BaseException:
                created.remove(force=True)
                raise
            created.reload()
            return answers.container(created.attrs)

    def start_again(self, name: str) -> None:
        with engine_words(f"start {name} again"):
            self._client.api.start(name)

    def keep(self, name: str) -> Container:
        with engine_words(f"keep {name}"):
            self._client.api.update_container(name, restart_policy=cast("Any", making.COMES_BACK))
            return answers.container(self._client.api.inspect_container(name))

    def stop(self, name: str, *, patience: int = 10) -> None:
        with engine_words(f"stop {name}"):
            self._client.api.stop(name, timeout=patience)

    def remove(self, name: str) -> None:
        from docker.errors import NotFound

        with engine_words(f"remove {name}"):
            try:
                self._client.api.remove_container(name, force=True, v=True)
            except NotFound:
                return

    def logs(self, name: str, *, lines: int = 50) -> str:
        with engine_words(f"read the log of {name}"):
            log: bytes = self._client.api.logs(name, tail=lines)
        return log.decode(errors="replace").strip()

    def follow(self, name: str, *, lines: int = 50) -> Iterator[bytes]:
        with engine_words(f"follow the log of {name}"):
            container = self._client.containers.get(name)
            cast("Any", self._client.api).timeout = None  # a site that nobody visits logs nothing, for days
            yield from container.logs(tail=lines, stream=True, follow=True)

    def run_once(self, spec: ContainerSpec, *, limit: float | None = None) -> Finished:
        with engine_words(f"run {spec.name}"):
            created = self._create(spec)
            try:
                created.start()
                exit_code = making.ended(created, spec.name, limit)
                streams = (created.logs(stdout=out, stderr=not out).decode(errors="replace") for out in (True, False))
                return Finished(exit_code, *streams)
            finally:
                created.remove(force=True, v=True)

    def exec(self, name: str, command: Sequence[str]) -> Finished:
        with engine_words(f"run a command in {name}"):
            api = cast("Any", self._client.api)
            begun = api.exec_create(name, list(command))["Id"]
            streams = api.exec_start(begun, demux=True)
            exit_code = api.exec_inspect(begun)["ExitCode"]
        return Finished(exit_code, *((stream or b"").decode(errors="replace") for stream in streams))

    def close(self) -> None:
        self._client.close()

    @cached_property
    def _info(self) -> Mapping[str, Any]:
        with engine_words("say how it keeps images"):
            found: Mapping[str, Any] = self._client.info()
        return found

    def _create(self, spec: ContainerSpec) -> SdkContainer:
        return making.create(self._client, spec, port=spec.port or self._exposed_port(spec.image))

    def _exposed_port(self, reference: str) -> int | None:
        image = self.image(reference)
        return image.ports[0] if image and image.ports else None


def connect_socket(path: Path) -> DockerEngine:
    """Speak to the engine behind a socket; OSError where none answers, ``StepFailed`` where it is too old."""
    import docker
    from docker.errors import DockerException, InvalidVersion
    from docker.utils import version_lt

    version = knock(f"unix://{path}")
    try:
        client = docker.DockerClient(base_url=f"unix://{path}", version=version or "auto", timeout=LOAD_TIMEOUT)
    except InvalidVersion as error:
        raise too_old("an older one") from error
    except DockerException as error:
        raise OSError(str(error)) from error
    if version_lt(client.api.api_version, OLDEST_API):
        client.close()
        raise too_old(client.api.api_version)
    share_connections(client, path)
    return DockerEngine(client)
