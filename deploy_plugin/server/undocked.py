"""A server whose Docker can't be asked yet, for a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from deploy_plugin.errors import NotYetKnown

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


def undocked(server: Server) -> Server:
    """Give the server as it is, but for its engine: that holds nothing where Docker is not installed.

    Where it is installed and can't be asked, nothing is known of what it holds: ``NotYetKnown``.
    """
    return cast("Server", _Undocked(server))


class _Undocked:
    def __init__(self, server: Server) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the server has
        return getattr(self._server, name)

    @property
    def engine(self) -> _NoEngine:
        if self._server.facts.has_docker:
            raise NotYetKnown("Docker there can't be asked yet")
        return _NoEngine()


class _NoEngine:
    """What an engine that is not installed holds; it can't be asked to do anything."""

    def image(self, _reference: str) -> None:
        return None

    def container(self, _name: str) -> None:
        return None

    def containers(self, _labels: object) -> tuple[()]:
        return ()

    def __getattr__(self, _name: str) -> NoReturn:
        raise NotYetKnown("Docker is not there yet")
