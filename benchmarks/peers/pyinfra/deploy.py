"""The ten tasks of a deploy without a registry."""

import os
import secrets
from io import StringIO

from pyinfra import host, local
from pyinfra.facts.docker import DockerContainer
from pyinfra.facts.files import File
from pyinfra.facts.server import Home, User, Users
from pyinfra.operations import apt, docker, files, server

PROJECT = "../.."
ARCHIVE_HERE = "image.tar"
ARCHIVE_THERE = "/tmp/image.tar"  # noqa: S108 - whoever reads it must belong to the docker group anyway

# Gather facts.
home = host.get_fact(Home)
uid = host.get_fact(Users)[host.get_fact(User)]["uid"]
env_file, data = f"{home}/site.env", f"{home}/site-data"

apt.packages(name="Install Docker", packages=["docker.io"], _sudo=True)

# Build the image here, and export it to an archive.
image = local.shell(f"docker build --quiet --tag benchmarked-site {PROJECT}")
local.shell(f"docker save --output {ARCHIVE_HERE} benchmarked-site:latest")

files.put(name="Upload the archive", src=ARCHIVE_HERE, dest=ARCHIVE_THERE, mode="600")
server.shell(name="Import the image", commands=[f"docker load --quiet --input {ARCHIVE_THERE}"])

if not host.get_fact(File, path=env_file):
    settings = {
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
        "DJANGO_ALLOWED_HOSTS": os.environ["SITE_HOST"],
        "DJANGO_DATABASE_PATH": "/data/db.sqlite3",
    }
    text = "".join(f"{name}={value}\n" for name, value in settings.items())
    files.put(name="Write the env file", src=StringIO(text), dest=env_file, mode="600")

files.directory(name="Make the database's folder if it is missing", path=data, mode="700")

# The operation looks only whether a container of this name is there: what runs in it has to be compared here.
runs = host.get_fact(DockerContainer, object_id="site")
docker.container(
    name="Run the container",
    container="site",
    image="benchmarked-site",
    user=str(uid),
    env_files=[env_file],
    volumes=[f"{data}:/data"],
    ports=["80:8888"],
    restart_policy="unless-stopped",
    force=not (runs and runs[0]["Image"] in image),
)

server.shell(name="Migrate the database", commands=["docker exec site python manage.py migrate --no-input"])
