from __future__ import annotations

from pathlib import Path

import pytest

from deploy_plugin import destination
from deploy_plugin.errors import ConfigError


def test_a_configuration_that_ssh_refuses_is_shown_in_its_words(tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("Host web\n    HostNaem www.example.com\n")
    with pytest.raises(ConfigError, match="ssh does not understand the host 'web'") as caught:
        destination.host_name("web", config)
    assert "line 2" in caught.value.got


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_is_one_that_there_can_be(port: str) -> None:
    assert not destination.is_destination(f"elspeth@example.com:{port}")
    assert destination.is_destination("elspeth@example.com:65535")
