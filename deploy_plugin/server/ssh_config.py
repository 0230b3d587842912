"""The ssh configuration of one run: the user's own, with one connection that everything shares."""

from __future__ import annotations

from pathlib import Path

from deploy_plugin.errors import ConfigError


def write_run_config(folder: Path, *, user_config: Path | None, identity_file: Path | None) -> Path:
    """Write ``folder``/ssh_config for a run, for the deploy and for testinfra alike.

    ``folder`` must have a short path: it will hold the control socket, whose path has a limit of about 100 characters.
    ssh takes the first value that it meets, so ours come first; host keys are checked as the user's configuration says.
    What people set for themselves is not for a run: a connection that stays open behind it, a command instead of ours.
    """
    if user_config and not user_config.is_file():
        raise ConfigError(f"--ssh-config={user_config}: there is no such file.")
    if identity_file and not identity_file.is_file():
        raise ConfigError(f"--ssh-identity-file={identity_file}: there is no such file.")
    includes = [user_config.resolve()] if user_config else ["~/.ssh/config", "/etc/ssh/ssh_config"]
    lines = [
        "Host *",
        f"    ControlPath {control_path(folder)}",
        "    ControlMaster no",
        "    ControlPersist no",
        "    RemoteCommand none",
        "    RequestTTY no",
        "    BatchMode yes",
        "    ConnectTimeout 10",
        "    ServerAliveInterval 10",
        "    StreamLocalBindUnlink yes",
        *([f"    IdentityFile {_quoted(identity_file.resolve())}"] if identity_file else []),
        *(f"    Include {_quoted(include)}" for include in includes),
    ]
    path = folder / "ssh_config"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def control_path(folder: Path) -> Path:
    return folder / "master"


def log_path(folder: Path) -> Path:
    """Where the ssh that holds the connection writes what it has to say."""
    return folder / "master.log"


def docker_socket(folder: Path) -> Path:
    """Where the server's Docker socket appears on this machine."""
    return folder / "docker.sock"


def _quoted(path: Path | str) -> str:
    return f'"{path}"' if " " in str(path) else str(path)
