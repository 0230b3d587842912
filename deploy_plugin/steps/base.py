"""What a step is: the seam that a deploy is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


class Step(Protocol):
    """One idempotent unit of work, usually a frozen dataclass.

    After ``apply``, ``check`` has nothing left to say. Both raise ``StepFailed`` where they can't do their work, and
    ``apply`` then leaves what served before serving.

    One that can be done before its turn has ``after``: the class of the step after which all is there that it needs. A
    deploy begins it then, beside those in between; where it has ``may_begin``, only if that says so of the server.
    """

    @property
    def title(self) -> str:
        """What it does, as a line of the recap: ``Ensure env file``."""
        ...

    def check(self, server: Server) -> str | None:
        """Say what is missing, as the user will read it; None where nothing is. Changes nothing, anywhere."""
        ...

    def apply(self, server: Server) -> str | None:
        """Do what is missing; what is said of it takes the place of what ``check`` said."""
        ...
