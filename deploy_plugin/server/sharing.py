"""Few connections for all that is asked of an engine: a new one costs another way to a server that is far, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker import DockerClient

_KEPT = 16
"""How many are kept for the next request."""


def share_connections(client: DockerClient, socket: Path) -> None:
    """Let the SDK ask all over the same connections to a socket: by itself it keeps those of each address apart."""
    from docker.transport import UnixHTTPAdapter

    class Shared(UnixHTTPAdapter):
        def get_connection(self, url: str | bytes, proxies: Any = None) -> Any:  # noqa: ANN401, ARG002 - as the SDK has it
            return super().get_connection(client.api.base_url)

    client.api.mount("http+docker://", Shared(f"http+unix://{socket}", client.api.timeout, max_pool_size=_KEPT))
