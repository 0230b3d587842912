"""A build that is begun while the server is still asked what it is, because it will most likely be needed."""

from __future__ import annotations

import threading
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Self

from deploy_plugin.begun import begun
from deploy_plugin.images import scratch
from deploy_plugin.images.build import Build, context_digest, is_here, platform_here, reference_of
from deploy_plugin.images.scratch import Recipe
from deploy_plugin.models import App
from deploy_plugin.server import local
from deploy_plugin.server.docker import DockerEngine

if TYPE_CHECKING:
    from concurrent.futures import Future


class EarlyBuild:
    """Builds the image that the app's files make now, where it is not here yet; use it as a context.

    For which platform is a guess: the app's, or else this machine's. Who needs the image asks for it by its name; what
    nobody has asked for when the context ends is stopped. Only a build that is asked for can fail.

    Its thread imports docker, which takes a tenth of a second, and so may others at the same time. That is safe where
    all begin with the package: who begins with a module of it (``from docker.utils import …``) waits for the package
    while the package waits for the module, and Python then gives both of them half of it.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._running: Build | None = None
        self._is_over = False
        self._top: Future[str | None] | None = None
        self._lock = threading.Lock()
        self._beginning = threading.Thread(target=self._begin, name="early build", daemon=True)
        self._beginning.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def makes(self, reference: str) -> bool:
        """Whether it is this image that is built, and nobody has waited for it yet."""
        self._beginning.join()
        return self._running is not None and self._running.reference == reference

    def wait(self) -> None:
        """Wait until it is built; ``StepFailed`` where it does not build."""
        try:
            if self._running:
                self._running.wait()
        finally:
            self.stop()

    def begin_top(self, reference: str) -> None:
        """Begin to build the topmost layer of what was built once more: most of the time, that is all that is sent."""
        self._top = begun(partial(self._build_top, reference), "topmost layer")

    def take_top(self) -> Future[str | None] | None:
        """Give what ``begin_top`` builds, see ``scratch.build``; who takes it removes it."""
        top, self._top = self._top, None
        return top

    def stop(self) -> None:
        """Begin nothing, let nothing run on, and leave nothing that nobody took."""
        with self._lock:
            self._is_over = True
            running, self._running = self._running, None
        if running:
            running.stop()
        if (top := self.take_top()) and (image := top.result()):
            scratch.remove(image)

    def _build_top(self, reference: str) -> str | None:
        with suppress(Exception), closing(DockerEngine(local.local_client())) as here:  # there is a slower way
            image = here.image(reference)
            recipe = Recipe(self._app.context, self._app.platform or platform_here())
            return scratch.build(recipe, 1, image.workdir) if image else None
        return None

    def _begin(self) -> None:
        with suppress(Exception):  # whoever needs the image meets the same again, and is told
            platform = self._app.platform or platform_here()
            reference = reference_of(self._app.name, context_digest(self._app.context, platform))
            if is_here(reference):
                return
            with self._lock:
                if not self._is_over:
                    self._running = Build(reference, self._app.context, platform)
