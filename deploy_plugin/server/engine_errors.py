"""What Docker says and raises when something does not work, in our own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deploy_plugin.errors import StepFailed, Unreachable
from deploy_plugin.hints import hint_for

OLDEST, OLDEST_API = "Docker 20.10", "1.41"


@contextmanager
def engine_words(doing: str) -> Iterator[None]:
    """Turn what the SDK raises into our own errors."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except APIError as error:
        said = str(error.explanation or error)
        raise StepFailed(f"Docker could not {doing}.", got=said, hint=hint_for(said)) from error
    except (DockerException, RequestException, OSError) as error:
        raise Unreachable(f"Docker went away when it was to {doing}.", got=str(error)) from error


def not_taken(why: str) -> StepFailed:
    return StepFailed("Docker on the server did not take the image.", got=why, hint=hint_for(why, "Deploy again."))


def too_old(version: str) -> StepFailed:
    return StepFailed(
        f"Docker on the server is too old: it speaks API {version}, and {OLDEST_API} is the oldest that works.",
        hint=f"Install {OLDEST} or newer there.",
    )
