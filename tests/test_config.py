from __future__ import annotations

from pathlib import Path

import pytest

from deploy_plugin import config, destination
from deploy_plugin.errors import ConfigError
from deploy_plugin.models import Target
from tests.project import TWO_TARGETS, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "My Site_2"
    folder.mkdir()
    return folder


@pytest.fixture
def ssh_config(tmp_path: Path) -> Path:
    """One alias, and nothing of the user's own configuration."""
    path = tmp_path / "ssh_config"
    path.write_text("Host web\n    HostName www.example.com\n    User elspeth\nHost six\n    HostName 2001:db8::1\n")
    return path


def target(root: Path, text: str = "", typed: str = "staging", url: str = "http://staging.example.com") -> Target:
    write(root, text)
    place = config.find_place(typed, root)
    return config.read_target(place, place.host, url=url)


@pytest.mark.parametrize(("typed", "name"), [("sandbox", None), ("sandbox:a", "a"), ("sandbox:My-2", "My-2")])
def test_a_sandbox_needs_no_file(root: Path, typed: str, name: str | None) -> None:
    place = config.find_place(typed, root)
    assert (place.is_sandbox, place.sandbox_name, place.name) == (True, name, typed)


def test_a_host_with_a_port_is_no_sandbox(root: Path) -> None:
    assert config.find_place("deploy@127.0.0.1:22", root).sandbox_name is None
    assert target(root, '[app]\nname = "a"\n[targets.staging]\nhost = "a@b.example.com:9"\n').sandbox is None


@pytest.mark.parametrize("typed", ["sandbox:", "sandbox:a b", "sandbox:../x"])
def test_a_sandbox_name_that_can_not_be_is_refused(root: Path, typed: str) -> None:
    with pytest.raises(ConfigError, match="letters, digits and dashes"):
        config.find_place(typed, root)


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("example.com", ("example.com", None)),
        ("elspeth@example.com", ("elspeth@example.com", None)),
        ("elspeth@example.com:2222", ("elspeth@example.com", 2222)),
        ("192.0.2.7", ("192.0.2.7", None)),
        ("elspeth@web", ("elspeth@web", None)),
        ("web:22", ("web", 22)),
        ("[::1]", ("::1", None)),
        ("elspeth@[2001:db8::1]", ("elspeth@2001:db8::1", None)),
        ("elspeth@[2001:db8::1]:2222", ("elspeth@2001:db8::1", 2222)),
    ],
)
def test_a_destination_is_split_as_ssh_takes_it(root: Path, typed: str, parts: tuple[str, int | None]) -> None:
    place = config.find_place(typed, root)
    assert not place.is_sandbox
    assert destination.split_destination(place.host) == parts


@pytest.mark.parametrize(
    "typed",
    [
        "a b.com",
        "@example.com",
        "example.com:ssh",
        "ex@mple@com",
        "::1",
        "-oProxy=x.y",
        "example.com:0",
        "example.com:65536",
        "",
    ],
)
def test_what_is_no_destination_is_refused_with_an_example(root: Path, typed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.find_place(typed, root)
    assert repr(typed) in str(caught.value)
    assert "[user@]host[:port]" in str(caught.value)


def test_an_alias_of_the_ssh_configuration_is_taken(root: Path, ssh_config: Path) -> None:
    assert config.find_place("web", root, ssh_config=ssh_config).host == "web"
    assert destination.host_name("web", ssh_config) == "www.example.com"


def test_the_host_of_a_destination_is_found_without_user_and_port(ssh_config: Path) -> None:
    assert destination.host_name("harriet@web:2222", ssh_config) == "www.example.com"
    assert destination.host_name("elspeth@other.example.com", ssh_config) == "other.example.com"


@pytest.mark.parametrize("typed", ["[2001:db8::1]", "elspeth@[2001:db8::1]:2222", "six"])
def test_an_ipv6_host_is_in_brackets_as_in_a_url(ssh_config: Path, typed: str) -> None:
    assert destination.host_name(typed, ssh_config) == "[2001:db8::1]"


def test_an_unknown_bare_word_names_the_known_targets(root: Path, ssh_config: Path) -> None:
    write(root, '[app]\nname = "x"\n[targets.staging]\nhost = "a.com"\n[targets.live]\nhost = "b.com"\n')
    with pytest.raises(ConfigError) as caught:
        config.find_place("nosuch", root, ssh_config=ssh_config)
    assert "unknown target 'nosuch'" in str(caught.value)
    assert "sandbox, sandbox:NAME, staging, live" in str(caught.value)
    assert list(config.named_targets(root, {})) == ["staging", "live"]


@pytest.mark.parametrize("host", ["elspeth@staging.example.com", "sandbox:staging"])
def test_a_named_target_is_where_the_file_says(root: Path, host: str) -> None:
    write(root, f'[targets.staging]\nhost = "{host}"\n')
    place = config.find_place("staging", root)
    assert (place.name, place.host) == ("staging", host)


def test_a_named_target_without_a_host_is_an_alias_of_its_name(root: Path, ssh_config: Path) -> None:
    write(root, "[targets.web]\nlive = true\n")
    assert config.find_place("web", root, ssh_config=ssh_config).host == "web"


def test_a_named_target_without_a_host_that_ssh_does_not_know_is_refused_with_its_line(
    root: Path, ssh_config: Path
) -> None:
    write(root, "[app]\nname = 'x'\n[targets.staging]\nlive = true\n")
    with pytest.raises(ConfigError, match=r"^deploy\.toml:3: targets\.staging names no host, .* add host = "):
        config.find_place("staging", root, ssh_config=ssh_config)


def test_a_wrong_host_of_a_named_target_says_whose_it_is(root: Path) -> None:
    write(root, '[targets.staging]\nhost = "not a host"\n')
    with pytest.raises(ConfigError, match="host of 'staging'"):
        config.find_place("staging", root)


def test_every_key_of_a_target_is_read(root: Path) -> None:
    (root / "conf").mkdir()
    (root / "conf/ssh").write_text("")
    assert target(root, TWO_TARGETS) == Target(
        name="staging",
        destination="staging.example.com",
        url="https://staging.example.com",
        publish=8080,
        ssh_config=root / "conf/ssh",
    )
    assert target(root, TWO_TARGETS, "live").live


def test_a_targets_own_ssh_config_must_be_there(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"^deploy\.toml:\d+: targets\.staging\.ssh_config is 'conf/ssh'"):
        target(root, TWO_TARGETS)


def test_an_ssh_config_that_was_typed_wins(root: Path, ssh_config: Path) -> None:
    write(root, TWO_TARGETS)
    place = config.find_place("staging", root)
    read = config.read_target(place, place.host, url="http://x", ssh_config=ssh_config)
    assert read.ssh_config == ssh_config


@pytest.mark.parametrize(
    ("known", "publish", "url"),
    [
        ("http://a.com", 80, "http://a.com"),
        ("http://a.com", 8080, "http://a.com:8080"),
        ("http://[::1]", 8080, "http://[::1]:8080"),
        ("http://[::1]", 80, "http://[::1]"),
        ("http://127.0.0.1:32768", 8080, "http://127.0.0.1:32768"),
    ],
)
def test_the_url_has_the_published_port_unless_the_address_brought_one(
    root: Path, known: str, publish: int, url: str
) -> None:
    assert target(root, f"[targets.staging]\nhost = 'a.com'\npublish = {publish}\n", url=known).url == url


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("live = 'yes'", "targets.staging.live must be true or false"),
        ("publish = '80'", "targets.staging.publish must be a whole number"),
        ("publish = 0", "targets.staging.publish must be a port, from 1 to 65535, not 0"),
        ("url = 80", "targets.staging.url must be a string"),
        ("ssh_config = 1", "targets.staging.ssh_config must be a string"),
    ],
)
def test_a_wrong_value_of_a_target_names_line_and_key(root: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        target(root, f"[targets.staging]\nhost = 'a.com'\n{line}\n")
    assert str(caught.value).startswith(f"deploy.toml:3: {said}")
