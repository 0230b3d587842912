"""A Docker engine in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Any

from deploy_plugin.errors import StepFailed
from deploy_plugin.secret import Secret
from deploy_plugin.server.base import Answer
from deploy_plugin.server.engine import (
    Container,
    ContainerSpec,
    Finished,
    Image,
    Listed,
    Made,
    Mount,
    Store,
    Stored,
    Tagged,
)
from deploy_plugin.testing import archives
from deploy_plugin.testing.proxy import FakeProxy, is_proxy

Site = int | Callable[[ContainerSpec, str, str], int | Answer]
"""What a container answers: a status, or a function of its spec, the path and the Host header."""


class FakeEngine:
    """An ``Engine`` in memory. What its containers do is up to the test: ``site``, ``command``, ``dies``, ``fail``."""

    def __init__(self) -> None:
        self.journal: list[str] = []
        self.images: dict[str, Image] = {}
        self.unnamed: list[Image] = []
        self.layers: dict[str, bytes] = {}
        """What is in the layers of all of them, by diff id."""
        self.keeps = Store.CLASSIC
        self.packs = False
        """Whether the layers are packed that it saves."""
        self.networks: set[str] = set()
        self.links: Mapping[PurePosixPath, PurePosixPath] = {}
        """Those in the image that was last derived."""
        self.specs: dict[str, ContainerSpec] = {}
        """How each container that is there was asked for, by its name; the oldest first."""
        self.site: Site = 200
        self.command: Callable[[ContainerSpec, Sequence[str]], Finished] = lambda _spec, _command: Finished(0, "")
        """What a command in a container leaves, a one-off one or a running one."""
        self._seen: dict[str, Container] = {}
        self._proxies: dict[str, FakeProxy] = {}
        self._logs: dict[str, str] = {}
        self._dying: dict[str, tuple[int, str]] = {}
        self._failures: list[tuple[str, BaseException]] = []
        self._made = 0

    def add_image(
        self,
        reference: str,
        *,
        ports: Sequence[int] = (8888,),
        layers: Sequence[bytes] = (),
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Put an image there, as if it had been built."""
        contents = {archives.diff_id(layer): layer for layer in layers or [reference.encode()]}
        self.layers |= contents
        exposed: dict[str, Any] = {f"{port}/tcp": {} for port in ports}
        rootfs = {"type": "layers", "diff_ids": [*contents]}
        config = {"ExposedPorts": exposed, "Labels": labels or {}}
        self.images[reference] = archives.image(reference, {"config": config, "rootfs": rootfs})

    def dies(self, names: str, *, exit_code: int = 1, log: str = "") -> None:
        """Let containers whose name matches the pattern end as soon as they are started."""
        self._dying[names] = (exit_code, log)

    def fail(self, call: str, error: BaseException) -> None:
        """Let the next call like this, ``"stop superlists-*"``, raise ``error``: once, and before it does anything."""
        self._failures.append((call, error))

    def image(self, reference: str) -> Image | None:
        self._may("image", reference)
        return self.images.get(reference)

    def save(self, reference: str) -> Iterator[bytes]:
        image = self.images[reference]
        layers = {name: self.layers[name] for name in image.diff_ids}
        yield archives.write(reference, image.configuration, layers, packed=self.packs)

    def load(self, archive: Iterable[bytes]) -> None:
        read = archives.read(b"".join(archive))
        self._change("load", read.reference or "a part")
        image = archives.image(read.reference or "", read.configuration)
        there = [other.diff_ids for other in self._all()]
        for number, name in enumerate(image.diff_ids, start=1):
            if name not in read.layers and not any(other[:number] == image.diff_ids[:number] for other in there):
                raise StepFailed("Docker on the server did not take the image.", got=f"there is no layer {name}")
        self.layers |= read.layers
        if read.reference:
            self.images[read.reference] = image
        else:
            self.unnamed.append(image)

    def store(self) -> Store:
        return self.keeps

    def root(self) -> PurePosixPath:
        return PurePosixPath("/var/lib/docker")

    def layer_sizes(self, reference: str) -> Sequence[int]:
        return [len(self.layers[diff_id]) for diff_id in self.images[reference].diff_ids]

    def stored(self, first: str) -> Iterator[Stored]:
        for image in sorted(self._all(), key=lambda image: not image.reference.startswith(f"{first}:")):
            yield Stored(image.diff_ids, archives.labels(image))

    def tagged(self, repository: str) -> Sequence[Tagged]:
        self._may("tagged", repository)
        found = [image for image in self.images.values() if image.reference.startswith(f"{repository}:")]
        return [Tagged(image.reference, image.size) for image in found]

    def remove_image(self, reference: str) -> None:
        if reference in [spec.image for spec in self.specs.values()]:
            raise StepFailed(f"Docker could not remove the image {reference}.", got="a container is using it")
        if reference in self.images:
            self._change("remove_image", reference)
            del self.images[reference]

    def prune(self, label: str) -> None:
        key, _, value = label.partition("=")
        self.unnamed = [image for image in self.unnamed if archives.labels(image).get(key) != value]

    def ensure_network(self, name: str) -> None:
        if name not in self.networks:
            self._change("ensure_network", name)
            self.networks.add(name)

    def containers(self, labels: Mapping[str, str]) -> Sequence[Container]:
        newest_first = reversed(self._seen.values())
        return [container for container in newest_first if labels.items() <= container.labels.items()]

    def listing(self) -> Sequence[Listed]:
        self._may("listing", "")
        return [
            Listed(name, seen.running, seen.labels, [spec.publish] if spec.publish else [], [*spec.mounts, *spec.reads])
            for (name, seen), spec in zip(self._seen.items(), self.specs.values(), strict=True)
        ]

    def container(self, name: str) -> Container | None:
        return self._seen.get(name)

    def made(self, name: str) -> Made:
        spec = self.specs[name]
        env = [f"{key}={value.reveal() if isinstance(value, Secret) else value}" for key, value in spec.env.items()]
        mounts = [Mount(str(here), there, writable=True) for here, there in spec.mounts.items()]
        ports = {spec.publish: spec.port} if spec.publish and spec.port else {}
        return Made(spec.image, env=env, own_env=env, mounts=mounts, ports=ports)

    def derive(self, name: str, reference: str, links: Mapping[PurePosixPath, PurePosixPath]) -> None:
        self._change("derive", reference)
        self.links = dict(links)
        self.images[reference] = replace(self._needed(self.specs[name].image), reference=reference)

    def create(self, spec: ContainerSpec) -> None:
        self._change("create", spec.name)
        self._create(spec)

    def start(self, spec: ContainerSpec) -> Container:
        self._change("start", spec.name)
        if spec.name in self._seen:
            raise StepFailed(f"Docker could not start {spec.name}.", got="the name is already in use")
        self._create(spec)
        try:
            self._run(spec.name)
        except BaseException:
            self._forget(spec.name)
            raise
        return self._seen[spec.name]

    def start_again(self, name: str) -> None:
        self._change("start_again", name)
        if not self._seen[name].running:
            self._run(name)

    def keep(self, name: str) -> Container:
        if not self.specs[name].stays:
            self._change("keep", name)
        self.specs[name] = replace(self.specs[name], stays=True)
        return self._seen[name]

    def stop(self, name: str, *, patience: int = 10) -> None:  # noqa: ARG002 - it ends at once
        self._change("stop", name)
        self._end(name, exit_code=0)

    def remove(self, name: str) -> None:
        if name in self._seen:
            self._change("remove", name)
            self._forget(name)

    def logs(self, name: str, *, lines: int = 50) -> str:
        return "\n".join(self._logs[name].splitlines()[-lines:])

    def follow(self, name: str, *, lines: int = 50) -> Iterator[bytes]:
        """Give what is there, as if the container had ended then."""
        yield from (f"{line}\n".encode() for line in self.logs(name, lines=lines).splitlines())

    def run_once(self, spec: ContainerSpec, *, limit: float | None = None) -> Finished:  # noqa: ARG002 - nothing lasts
        self._may("run_once", spec.name)
        self._needed(spec.image)
        return self.command(spec, spec.command or ())

    def exec(self, name: str, command: Sequence[str]) -> Finished:
        self._may("exec", name)
        if is_proxy(self.specs[name]):
            return self._proxies[name].told(command)
        return self.command(self.specs[name], command)

    def close(self) -> None:
        """Nothing is open."""

    def ask(self, address: str, port: int, path: str, host: str) -> Answer:
        """Ask the container at this address; OSError where none listens on this port."""
        running = (name for name, container in self._seen.items() if container.running and container.address == address)
        spec = self.specs[name] if (name := next(running, "")) else None
        if spec is None or port != (spec.port or self._needed(spec.image).ports[0]):
            raise ConnectionRefusedError(f"{address}:{port}")
        if is_proxy(spec):
            return self._through(spec, path, host)
        said = self.site(spec, path, host) if callable(self.site) else self.site
        return said if isinstance(said, Answer) else Answer(said, {}, b"")

    def _through(self, proxy: ContainerSpec, path: str, host: str) -> Answer:
        if self._proxies[proxy.name].is_closed(host):
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, {}, b"")
        name, _, port = self._proxies[proxy.name].upstream(host).rpartition(":")
        found = self.specs.get(name)
        address = self._seen[name].address if found and found.network == proxy.network else ""
        try:
            return self.ask(address, int(port or 0), path, host)
        except ConnectionRefusedError:
            return Answer(HTTPStatus.BAD_GATEWAY, {}, b"")

    def _create(self, spec: ContainerSpec) -> None:
        self._needed(spec.image)
        if spec.network and spec.network not in self.networks:
            raise StepFailed(f"Docker could not start {spec.name}.", got=f"network {spec.network} not found")
        self._made += 1
        self.specs[spec.name] = spec
        self._seen[spec.name] = Container(f"{self._made:064x}", spec.name, "created", dict(spec.labels))
        self._logs[spec.name] = ""

    def _run(self, name: str) -> None:
        publish = self.specs[name].publish
        if publish and publish in [self.specs[other].publish for other, seen in self._seen.items() if seen.running]:
            raise StepFailed(f"Docker could not start {name}.", got=f"port {publish} is already allocated")
        if is_proxy(self.specs[name]):
            self._proxies[name] = FakeProxy(self.specs[name])
        number = int(self._seen[name].id, 16)
        self._seen[name] = replace(self._seen[name], status="running", address=f"172.17.0.{number + 1}", exit_code=0)
        for names, (exit_code, log) in self._dying.items():
            if fnmatchcase(name, names):
                self._logs[name] = log
                self._end(name, exit_code)

    def _end(self, name: str, exit_code: int) -> None:
        self._seen[name] = replace(self._seen[name], status="exited", address="", exit_code=exit_code)

    def _forget(self, name: str) -> None:
        for kept in (self._seen, self.specs, self._logs):
            del kept[name]

    def _all(self) -> Sequence[Image]:
        return [*self.images.values(), *self.unnamed]

    def _needed(self, reference: str) -> Image:
        if reference not in self.images:
            raise StepFailed("Docker could not create the container.", got=f"no such image: {reference}")
        return self.images[reference]

    def _change(self, verb: str, name: str) -> None:
        self._may(verb, name)
        self.journal.append(f"{verb} {name}")

    def _may(self, verb: str, name: str) -> None:
        for planned in self._failures:
            if fnmatchcase(f"{verb} {name}", planned[0]):
                self._failures.remove(planned)
                raise planned[1]
