from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin import config
from deploy_plugin.errors import ConfigError
from deploy_plugin.models import App, AppFolder, SecretSource
from tests.project import TWO_TARGETS, write

FOLDER = AppFolder(PurePosixPath("/home"), "app")
PROPERTIES = [getattr(FOLDER, name) for name, what in vars(AppFolder).items() if isinstance(what, property)]
OURS = [path.name for path in PROPERTIES if path != FOLDER.path and "." not in path.name]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "My Site_2"
    folder.mkdir()
    return folder


def app(root: Path, text: str = "", typed: str = "host.example.com") -> App:
    write(root, text)
    return config.read_app(root, config.find_place(typed, root))


def refused(root: Path, text: str, typed: str = "host.example.com") -> str:
    with pytest.raises(ConfigError) as caught:
        app(root, text, typed)
    return str(caught.value)


def test_without_a_file_a_dockerfile_is_enough(root: Path) -> None:
    assert config.read_app(root, config.find_place("host.example.com", root)) == App("my-site-2", root / ".")


def test_a_folder_without_a_usable_name_is_still_an_app(tmp_path: Path) -> None:
    root = tmp_path / "_"
    root.mkdir()
    assert config.read_app(root, config.find_place("sandbox", root)).name == "app"


def test_every_key_of_the_app_is_read(root: Path) -> None:
    read = app(
        root,
        """
        [app]
        name = "superlists"
        context = "site"
        port = 8888
        health = "/health"
        manage = "src/manage.py"
        platform = "linux/arm64"
        proxy = "none"
        drain = 5
        keep_releases = 3
        static = "/assets"
        volumes = { media = "/media" }
        [app.env]
        ALLOWED = "{host}"
        [app.secrets]
        KEY = { generate = 50 }
        MAIL = { from_env = "MAIL" }
        API = { command = ["op", "read", "x"] }
        [database]
        path = "/data/db.sqlite3"
        """,
    )
    assert read == App(
        name="superlists",
        context=root / "site",
        port=8888,
        health="/health",
        manage="src/manage.py",
        platform="linux/arm64",
        env={"ALLOWED": "{host}"},
        secrets={
            "KEY": SecretSource(generate=50),
            "MAIL": SecretSource(from_env="MAIL"),
            "API": SecretSource(command=("op", "read", "x")),
        },
        volumes={"media": PurePosixPath("/media")},
        database=PurePosixPath("/data/db.sqlite3"),
        proxied=False,
        drain=5,
        keep_releases=3,
        static="/assets/",
    )


def test_a_proxy_stands_in_front_of_what_does_not_say(root: Path) -> None:
    assert app(root, "[app]\nname = 'site'\n") == app(
        root, "[app]\nname = 'site'\nproxy = 'caddy'\ndrain = 30\nstatic = '/static/'\n"
    )
    assert app(root, "[app]\nstatic = ''\n").static == ""


def test_named_targets_need_a_named_app(root: Path) -> None:
    message = refused(root, "[targets.staging]\nhost = 'a.com'\n")
    assert "names targets, but no app" in message
    assert "name = " in message


@pytest.mark.parametrize("name", ["Superlists", "super_lists", "-x", "a b", "", "../x"])
def test_an_app_name_that_can_not_name_containers_is_refused(root: Path, name: str) -> None:
    message = refused(root, f'[app]\nport = 1\nname = "{name}"\n')
    assert message.startswith("deploy.toml:3: app.name must be lower-case letters, digits and dashes")
    assert repr(name) in message


@pytest.mark.parametrize("name", ["superlists", "a", "2", "my-site-2"])
def test_an_app_name_of_letters_digits_and_dashes_is_taken(root: Path, name: str) -> None:
    assert app(root, f'[app]\nname = "{name}"\n').name == name


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("[app]\nport = '8888'\n", "deploy.toml:2: app.port must be a whole number"),
        ("[app]\nproxy = 'nginx'\n", 'deploy.toml:2: app.proxy must be "caddy", or "none" where'),
        ("[app]\nproxy = false\n", "deploy.toml:2: app.proxy must be a string"),
        ("[database]\nlimit = 0\n", "deploy.toml:2: database.limit must be seconds, at least one, not 0"),
        ("[app]\nstatic = 'static/'\n", "deploy.toml:2: app.static must begin with a slash"),
        ("[app]\ndrain = -1\n", "deploy.toml:2: app.drain must be seconds, not -1"),
        ("[app]\nconfirm = -1\n", "deploy.toml:2: app.confirm must be seconds, not -1"),
        (
            "[app]\nkeep_releases = 0\n",
            "deploy.toml:2: app.keep_releases must be a number of releases, at least one, not 0",
        ),
        ("[app]\ndrain = '1'\n", "deploy.toml:2: app.drain must be a whole number"),
        ("[app]\nname = 'proxy'\n", "deploy.toml:2: app.name must not be 'proxy': on the server that is"),
        ("[app]\nhealth = 1\n", "deploy.toml:2: app.health must be a string"),
        ("[app]\nenv = 'x'\n", "deploy.toml:2: app.env must be a table"),
        ("[app.env]\nDEBUG = false\n", "deploy.toml:2: app.env.DEBUG must be a string"),
        ('[app.env]\nA = "one\\ntwo"\n', "deploy.toml:2: app.env.A must be a single line"),
        ("[app]\nvolumes = { media = 1 }\n", "deploy.toml:2: app.volumes.media must be a string"),
        ("[app.secrets]\nKEY = 'hunter2'\n", "deploy.toml:2: app.secrets.KEY must be one of"),
        ("[app.secrets]\nKEY = {}\n", "deploy.toml:2: app.secrets.KEY must be one of"),
        ("[app.secrets]\nKEY = { generate = 1, from_env = 'A' }\n", "deploy.toml:2: app.secrets.KEY must be one of"),
        ("[app.secrets]\nKEY = { vault = 'A' }\n", "deploy.toml:2: app.secrets.KEY must be one of"),
        (
            "[app.secrets]\nKEY = { generate = '50' }\n",
            "deploy.toml:2: app.secrets.KEY.generate must be a whole number",
        ),
        ("[app.secrets]\nKEY = { generate = 0 }\n", "deploy.toml:2: app.secrets.KEY.generate "),
        ("[app.secrets]\nKEY = { from_env = '' }\n", "deploy.toml:2: app.secrets.KEY.from_env "),
        ("[app.secrets]\nKEY = { command = [] }\n", "deploy.toml:2: app.secrets.KEY.command "),
        ("[app.secrets]\nKEY = { command = 'op' }\n", "deploy.toml:2: app.secrets.KEY.command must be a list"),
        ("[app.database]\npath = '/data/db'\n", "deploy.toml:1: app.database is not a key of [app]"),
        (
            "[database]\npaht = '/data/db'\n",
            "deploy.toml:2: database.paht is not a key of [database]; did you mean 'path'?",
        ),
        ("[database]\npath = 'db.sqlite3'\n", "deploy.toml:2: database.path must begin with a slash"),
        ("[database]\npath = ''\n", "deploy.toml:2: database.path must begin with a slash"),
        ("[app]\nhealth = 'health'\n", "deploy.toml:2: app.health must begin with a slash"),
        ("[app.volumes]\nmedia = 'media'\n", "deploy.toml:2: app.volumes.media must begin with a slash"),
        *((f"[app.volumes]\n{name} = '/media'\n", f"deploy.toml:2: app.volumes.{name} ") for name in OURS),
        ("[app.volumes]\n'../x' = '/media'\n", "deploy.toml:2: app.volumes.../x "),
        ("[targets]\nstaging = 'a.com'\n", "deploy.toml:2: targets.staging must be a table"),
        (
            "[targets.s]\nhots = 'a.com'\n",
            "deploy.toml:2: targets.s.hots is not a key of [targets.s]; did you mean 'host'?",
        ),
    ],
)
def test_a_mistake_in_the_file_names_line_and_key(root: Path, text: str, start: str) -> None:
    assert refused(root, text).startswith(start)


def test_a_secret_written_into_the_file_is_not_repeated_in_the_message(root: Path) -> None:
    assert "hunter2" not in refused(root, "[app.secrets]\nKEY = 'hunter2'\n")


def test_a_target_overrides_the_app_and_tables_merge(root: Path) -> None:
    staging = app(root, TWO_TARGETS, "staging")
    assert (staging.health, staging.env) == ("/", {"DEBUG": "1", "HOST": "{host}"})
    assert staging.database == PurePosixPath("/other/db.sqlite3")


def test_what_one_target_overrides_is_nothing_to_another(root: Path) -> None:
    live = app(root, TWO_TARGETS, "live")
    assert (live.health, live.env) == ("/health", {"DEBUG": "0", "HOST": "{host}"})
    assert live.database == PurePosixPath("/data/db.sqlite3")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("port = 'x'", "deploy.toml:4: targets.s.port must be a whole number"),
        ("env = { A = 1 }", "deploy.toml:4: targets.s.env.A must be a string"),
        ("database = { paht = '/x' }", "deploy.toml:4: targets.s.database.paht is not a key"),
    ],
)
def test_a_mistake_in_a_target_is_reported_there(root: Path, line: str, said: str) -> None:
    text = f"[app]\nname = 'x'\n[targets.s]\n{line}\nhost = 'a.com'\n"
    assert refused(root, text, "s").startswith(said)
