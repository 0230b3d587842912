"""What Docker's answers mean, in our words."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from deploy_plugin.server.engine import Container, Image, Listed, Made, Mount, Tagged

# What an image's history calls what made no layer, as the classic builder and as BuildKit write it.
_NO_LAYER = "ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME"
_SOMETIMES = "WORKDIR"  # where the folder is new


def image(reference: str, attributes: Mapping[str, Any]) -> Image:
    exposed = attributes["Config"].get("ExposedPorts") or {}
    return Image(
        reference=reference,
        diff_ids=tuple(attributes["RootFS"].get("Layers", ())),
        size=attributes["Size"],
        ports=tuple(int(port.partition("/")[0]) for port in exposed),
        configuration=_configuration(attributes),
    )


def container(attributes: Mapping[str, Any]) -> Container:
    state = attributes["State"]
    networks = attributes["NetworkSettings"]["Networks"].values()
    return Container(
        id=attributes["Id"],
        name=attributes["Name"].removeprefix("/"),
        status=state["Status"],
        labels=attributes["Config"]["Labels"] or {},
        address=next((network["IPAddress"] for network in networks if network["IPAddress"]), ""),
        exit_code=state["ExitCode"],
        started=state["StartedAt"],
    )


def listed(summary: Mapping[str, Any]) -> Listed:
    return Listed(
        name=next(iter(summary["Names"] or ()), summary["Id"]).removeprefix("/"),  # one that is being removed has none
        running=summary["State"] == "running",
        labels=summary["Labels"] or {},
        publishes=[port["PublicPort"] for port in summary["Ports"] or () if "PublicPort" in port],
        mounts=[PurePosixPath(mount["Source"]) for mount in summary.get("Mounts") or () if mount.get("Source")],
    )


def made(attributes: Mapping[str, Any], image: Mapping[str, Any]) -> Made:
    env, in_image = attributes["Config"].get("Env") or (), image["Config"].get("Env") or ()
    bound = attributes["HostConfig"].get("PortBindings") or {}
    return Made(
        image=attributes["Image"],
        env=env,
        own_env=[line for line in env if line not in in_image],
        mounts=[
            Mount(mount.get("Name") or mount["Source"], PurePosixPath(mount["Destination"]), bool(mount["RW"]))
            for mount in attributes["Mounts"]
        ],
        ports={
            int(one["HostPort"]): int(port.partition("/")[0])
            for port, holders in bound.items()
            for one in holders or ()
            if one["HostPort"]
        },
    )


def links(wanted: Mapping[PurePosixPath, PurePosixPath]) -> bytes:
    """Give an archive of symbolic links."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, to in wanted.items():
            member = tarfile.TarInfo(str(path).lstrip("/"))
            member.type, member.linkname = tarfile.SYMTYPE, str(to)
            tar.addfile(member)
    return archive.getvalue()


def sizes(history: Sequence[Mapping[str, Any]], count: int) -> Sequence[int]:
    """Give the layers' sizes, lowest first; none where the history does not tell.

    Docker does not say which lines of a history made a layer, and an empty one shows no size: ``count`` decides.
    """
    for words in (f"{_NO_LAYER}|{_SOMETIMES}", _NO_LAYER):
        only_said = re.compile(rf"(?:/bin/sh -c #\(nop\) +)?(?:{words})\b")
        made = [one["Size"] for one in reversed(history) if one["Size"] or not only_said.match(one["CreatedBy"])]
        if len(made) == count:
            return made
    return ()


def tagged(repository: str, summary: Mapping[str, Any]) -> Sequence[Tagged]:
    tags = [tag for tag in summary["RepoTags"] or () if tag.startswith(f"{repository}:")]
    return [Tagged(tag, summary["Size"]) for tag in tags]


def is_of(repository: str, summary: Mapping[str, Any]) -> bool:
    return bool(tagged(repository, summary))


def _configuration(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    names = {"architecture": "Architecture", "variant": "Variant", "os": "Os", "created": "Created", "config": "Config"}
    said = {ours: attributes[theirs] for ours, theirs in names.items() if attributes.get(theirs)}
    return {**said, "rootfs": {"type": "layers", "diff_ids": list(attributes["RootFS"].get("Layers") or ())}}
