"""Bring an image to the server, over the connection that is there, without a registry: only what is missing there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import is_full_disk
from deploy_plugin.images import missing, order
from deploy_plugin.images.layers import PARTIAL_LABEL, Layer, repository
from deploy_plugin.images.missing import Lack
from deploy_plugin.images.packing import FIRST, Packer
from deploy_plugin.images.scratch import Topmost
from deploy_plugin.images.transfer import Transfer
from deploy_plugin.server import local
from deploy_plugin.server.base import Shipping
from deploy_plugin.server.docker import DockerEngine

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server
    from deploy_plugin.server.engine import Image


def ship(reference: str, server: Server, topmost: Topmost | None = None) -> str:
    """Send the layers that the server lacks, and say which; nothing is written to disk here.

    What the server's engine refuses is no end: the whole image follows then.
    """
    topmost = topmost or Topmost()
    with closing(DockerEngine(local.local_client())) as here:
        image = here.image(reference)
        if image is None:
            raise StepFailed(f"{reference} is not on this machine any more.", hint="Deploy again.")
        try:
            said = _send_missing(image, server, here, topmost)
        except order.NotFoundError:
            said = _send_whole(image, server, here, "this machine's Docker does not say which layer is which")
        except StepFailed as refused:
            if is_full_disk(refused.got):
                server.engine.remove_image(reference)
                raise
            said = _send_whole(image, server, here, refused.got.partition("\n")[0])
        _require_arrived(image, server)
        server.engine.prune(f"{PARTIAL_LABEL}={repository(reference)}")
        return said


def _send_missing(image: Image, server: Server, here: DockerEngine, topmost: Topmost) -> str:
    store = server.engine.store()
    lack = missing.find(image, server.engine, store)
    shipping = Shipping(len(lack.missing), size=sum(here.layer_sizes(image.reference)[lack.there :]))
    if shipping.size > FIRST:
        topmost.settle()
        server.link_speed()  # before Docker here has to do with it: it keeps the processor busy
    load = partial(_load, server, Packer(server.link_speed))
    transfer = Transfer(image, store, lack, load, partial(_show, server), shipping)
    try:
        with _layers(image, lack, here, topmost) as layers:
            transfer.run(layers)
    finally:
        server.shipping = None
    return f"{len(lack.missing)} of {len(lack.diff_ids)} layers were missing"


@contextmanager
def _layers(image: Image, lack: Lack, here: DockerEngine, topmost: Topmost) -> Iterator[Iterator[Layer]]:
    """Give the missing layers, lowest first, from where they can be had soonest."""
    with topmost.built(len(lack.missing), image.workdir) as top:
        again = here.image(top) if top else None
        source, diff_ids = (image.reference, image.diff_ids)
        if top and again and again.diff_ids == lack.missing:
            source, diff_ids = (top, again.diff_ids)
        layers = order.lowest_first(lack.missing, diff_ids, partial(here.save, source))
        try:
            yield layers
        finally:
            with suppress(ValueError):  # who reads them still waits for a link that does not move
                layers.close()


def _send_whole(image: Image, server: Server, here: DockerEngine, why: str) -> str:
    server.engine.remove_image(image.reference)  # what was refused may have left its name
    _load(server, Packer(server.link_speed), here.save(image.reference))
    return f"the whole image was sent; single layers did not do: {why}"


def _require_arrived(image: Image, server: Server) -> None:
    arrived = server.engine.image(image.reference)
    if arrived is None:
        raise StepFailed(f"{image.reference} was shipped, but the server does not have it.", hint="Deploy again.")
    if arrived.diff_ids != image.diff_ids:
        server.engine.remove_image(image.reference)
        raise StepFailed(f"{image.reference} arrived with other layers than it has here.", hint="Deploy again.")


def _load(server: Server, packer: Packer, archive: Iterator[bytes]) -> None:
    server.engine.load(_counted(packer.packed(archive), server))


def _show(server: Server, shipping: Shipping) -> None:
    server.shipping = shipping


def _counted(chunks: Iterable[bytes], server: Server) -> Iterator[bytes]:
    for chunk in chunks:
        server.bytes_sent += len(chunk)
        yield chunk
