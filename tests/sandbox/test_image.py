from __future__ import annotations

from typing import Any, cast

import pytest
from docker import DockerClient
from docker.errors import APIError, BuildError, ImageNotFound

from deploy_plugin.errors import StepFailed
from deploy_plugin.sandbox.image import ensure_image


class Images:
    """What an engine has that reaches no registry."""

    def __init__(self, *, has_base: bool) -> None:
        self._has_base = has_base

    def get(self, reference: str) -> Any:
        if self._has_base and reference.startswith("debian:"):
            return type("Found", (), {"id": "sha256:base"})
        raise ImageNotFound(reference)

    def pull(self, reference: str) -> None:
        raise APIError(f"no route to the registry of {reference}")

    def build(self, **_: object) -> None:
        raise BuildError("it failed", iter([{"stream": "E: Unable to locate package sudo\n"}]))


def refused(*, has_base: bool) -> StepFailed:
    client = type("Client", (), {"images": Images(has_base=has_base)})
    with pytest.raises(StepFailed) as caught:
        ensure_image(cast("DockerClient", client), None)
    return caught.value


def test_a_base_image_that_can_not_be_pulled_is_a_sentence() -> None:
    error = refused(has_base=False)
    assert "which is not on this machine and could not be pulled" in error.message
    assert "no route to the registry" in error.got
    assert "scripts/base-image" in error.hint


def test_an_image_that_can_not_be_built_shows_the_end_of_its_output() -> None:
    error = refused(has_base=True)
    assert "could not be built" in error.message
    assert "Unable to locate package sudo" in error.got
