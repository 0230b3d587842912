"""Where a pytest run hides secrets: in its reports, before any plugin sees them, and in all that it writes."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Generator
from functools import partial
from pathlib import Path

import pytest

from deploy_plugin import live
from deploy_plugin.redaction import SHORTEST
from deploy_plugin.reporting.redacted import (
    RedactedFormatter,
    RedactedStream,
    redact_attributes,
    redact_file,
    redact_within,
)
from deploy_plugin.session import Session

TOO_SHORT = (
    "The secret {key} has fewer than {shortest} characters: it can't be hidden where it is printed. Make it longer."
)


def install(config: pytest.Config, session: Session) -> None:
    """Hide what ``session.redactor`` knows, and what it will learn; in workers too."""
    live.register(config, Hidden(config, session), "deploy-hidden")
    if config.option.capture == "no":
        _hide_in_streams(config, session)


class Hidden:
    """Takes the secrets out of everything that passes by, as the first who sees it."""

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self._config = config
        self._session = session
        self._redactor = session.redactor
        # The main process learns as it deploys.
        self._knows_the_server = not hasattr(config, "workerinput")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        plugins = self._config.pluginmanager
        if terminal := plugins.get_plugin("terminalreporter"):
            writer = terminal._tw  # noqa: SLF001 - there is no other way to its file
            writer._file = RedactedStream.over(writer._file, self._redactor)  # noqa: SLF001
        if logs := plugins.get_plugin("logging-plugin"):
            handler = logs.log_file_handler
            handler.setFormatter(RedactedFormatter(handler.formatter, self._redactor))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        if not self._knows_the_server:
            self._session.learn(self._config.hook)
            self._knows_the_server = True

    @pytest.hookimpl(wrapper=True, trylast=True)  # the innermost: other wrappers get it clean
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        redact_attributes(report, self._redactor)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        redact_attributes(report, self._redactor)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        redact_attributes(report, self._redactor)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object) -> None:
        redact_within(excrepr, self._redactor)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        if isinstance(warning_message.message, Warning):
            self._redactor.redact_error(warning_message.message)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for key in sorted(self._redactor.too_short):
            terminalreporter.write_line(TOO_SHORT.format(key=key, shortest=SHORTEST), yellow=True)

    def pytest_unconfigure(self) -> None:
        # record_testsuite_property and record_xml_attribute go round all reports, into the file.
        if path := getattr(self._config.option, "xmlpath", None):
            redact_file(Path(path), self._redactor)


def _hide_in_streams(config: pytest.Config, session: Session) -> None:
    """With --capture=no, what tests print does not come by pytest."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        redacted = RedactedStream.over(stream, session.redactor)
        setattr(sys, name, redacted)
        config.add_cleanup(partial(setattr, sys, name, stream))
