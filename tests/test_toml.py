from __future__ import annotations

from pathlib import Path

import pytest

from deploy_plugin import toml
from deploy_plugin.errors import ConfigError
from deploy_plugin.toml import Table

KNOWN = frozenset({"name", "port", "health"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deploy.toml"


def refused(table: Table, *known: str) -> str:
    with pytest.raises(ConfigError) as caught:
        table.only(frozenset(known))
    return str(caught.value)


def test_a_file_that_is_not_there_says_nothing(file: Path) -> None:
    assert toml.read(file).values == {}


def test_what_is_not_toml_is_refused_with_its_position(file: Path) -> None:
    file.write_text("[app]\nname = \n")
    with pytest.raises(ConfigError, match=r"deploy\.toml is not valid TOML: .*line 2"):
        toml.read(file)


def test_what_is_not_text_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"deploy\.toml can't be read"):
        toml.read(file)


def test_an_unknown_table_names_file_line_and_the_nearest(file: Path) -> None:
    file.write_text('[app]\nname = "site"\n\n[target.live]\nhost = "example.com"\n')
    with pytest.raises(ConfigError) as caught:
        toml.read(file)
    assert str(caught.value) == "deploy.toml:4: target is not a key of the file's top level; did you mean 'targets'?"


def test_an_unknown_key_names_file_line_and_the_nearest(file: Path) -> None:
    file.write_text('# the app\n[app]\nname = "site"\nheatlh = "/health"\n')
    message = refused(toml.read(file).table("app"), *KNOWN)
    assert message == "deploy.toml:4: app.heatlh is not a key of [app]; did you mean 'health'?"


def test_an_unknown_key_that_is_near_to_none_names_all(file: Path) -> None:
    file.write_text("[app]\nxyzzy = 1\n")
    assert refused(toml.read(file).table("app"), *KNOWN).endswith("known here: health, name, port")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[app]\n[app.env]\nbad = 1\n", 3),
        ("[app]\nenv = { bad = 1 }\n", 2),
        ("[app.env] # settings\n\n'bad' = 1\n", 3),
        ('[ "app"."env" ]\n"bad"=1\n', 2),
        ("[app.other]\nbad = 1\n[app.env]\nbad = 1\n", 4),
        ("[app.env.bad]\nx = 1\n", 1),
    ],
)
def test_the_line_is_found_however_the_table_is_written(file: Path, text: str, line: int) -> None:
    file.write_text(text)
    assert refused(toml.read(file).table("app").table("env"), "good").startswith(f"deploy.toml:{line}: app.env.bad ")


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        ("1", str, "a string, not 1"),
        ('"80"', int, "a whole number, not '80'"),
        ("true", int, "a whole number, not True"),
        ("8.5", int, "a whole number, not 8.5"),
        ('"yes"', bool, "true or false, not 'yes'"),
        ("1", bool, "true or false, not 1"),
        ("[]", dict, "a table, not []"),
        ('"x"', list, "a list, not 'x'"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_in_toml_words(file: Path, value: str, kind: type, said: str) -> None:
    file.write_text(f"[app]\nkey = {value}\n")
    table = toml.read(file).table("app")
    for ask in (lambda: table.optional("key", kind), lambda: table.get("key", kind, kind())):
        with pytest.raises(ConfigError) as caught:
            ask()
        assert str(caught.value) == f"deploy.toml:2: app.key must be {said}"


def test_a_key_that_is_left_out_is_its_default(file: Path) -> None:
    assert Table(file).get("port", int, 80) == 80
    assert Table(file).optional("port", int) is None
    assert Table(file).table("env").values == {}


def test_merging_joins_tables_key_by_key_and_replaces_the_rest(file: Path) -> None:
    below = Table(file, "app", {"port": 1, "env": {"A": "1", "B": "1"}, "health": "/"})
    above = Table(file, "targets.live", {"port": 2, "env": {"B": "2"}, "host": "example.com"})
    merged = toml.merged(below, above, frozenset({"port", "env", "health"}))
    assert merged.values == {"port": 2, "env": {"A": "1", "B": "2"}, "health": "/"}
    assert below.values["env"] == {"A": "1", "B": "1"}


def test_a_wrong_value_is_reported_where_it_stands_not_where_it_is_merged_into(file: Path) -> None:
    file.write_text("[app]\nport = 1\n[app.env]\nA = 1\n[targets.live]\nport = 'x'\n[targets.live.env]\nB = 2\n")
    whole = toml.read(file)
    merged = toml.merged(whole.table("app"), whole.table("targets").table("live"), frozenset({"port", "env"}))
    with pytest.raises(ConfigError, match=r"^deploy\.toml:6: targets\.live\.port must be a whole number"):
        merged.get("port", int, 0)
    with pytest.raises(ConfigError, match=r"^deploy\.toml:8: targets\.live\.env\.B "):
        merged.table("env").get("B", str, "")
    with pytest.raises(ConfigError, match=r"^deploy\.toml:4: app\.env\.A "):
        merged.table("env").get("A", str, "")
