"""Files for a project that print every secret they can get at, and scripts that look for one among all arguments."""

from __future__ import annotations

LEAKS = """
import json
import logging
import os
import sys
import warnings

import pytest


@pytest.fixture
def env_file(host, deployment):
    return host.file(str(deployment.folder.env_file))


def test_a_local_holds_the_environment(env_file):
    lines = env_file.content_string.splitlines()
    env = dict(line.split("=", 1) for line in lines)
    nested = {"repr": repr(env), "json": json.dumps(env), "bytes": env_file.content}
    assert not env


def test_the_env_file_is_compared(env_file):
    assert env_file.content_string == "DJANGO_SECRET_KEY=x" + 60 * "y"


def test_the_env_file_is_compared_as_bytes(env_file):
    assert env_file.content == b"nothing"


def test_a_container_is_inspected(host, deployment):
    assert host.docker(deployment.container).inspect()["Config"]["Env"] == []


def test_a_whole_inspection_is_compared(host, deployment):
    assert host.docker(deployment.container).inspect() == {}


def test_it_prints_logs_and_warns(env_file, record_property, record_testsuite_property):
    for line in env_file.content_string.splitlines():
        print(line)
        print(line, file=sys.stderr)
        logging.getLogger("app").warning("read %s", line)
        warnings.warn(line)
        record_property("env", line)
    record_testsuite_property("env", env_file.content_string)


def test_an_exception_holds_it(env_file):
    raise RuntimeError(env_file.content_string)


def test_an_exception_is_logged(env_file):
    try:
        raise RuntimeError(env_file.content_string)
    except RuntimeError:
        logging.getLogger("app").exception("it failed")


def test_it_is_skipped_for_a_reason(env_file):
    pytest.skip(env_file.content_string.replace("\\n", " "))


@pytest.mark.xfail(reason=os.environ["MAIL_PASSWORD"])
@pytest.mark.parametrize("value", [os.environ["MAIL_PASSWORD"]], ids=["password"])
def test_a_parameter_is_one(value):
    assert value == ""
"""
PRINTS_ITS_ENVIRONMENT = "import os, sys\nprint(dict(os.environ), os.environ.items(), flush=True)\n"
FAILING_MIGRATION = f"""
{PRINTS_ITS_ENVIRONMENT}
from django.db import migrations


def fail(apps, schema_editor):
    raise RuntimeError(dict(os.environ))


class Migration(migrations.Migration):
    dependencies = [("lists", "0003_item_once_per_list")]
    operations = [migrations.RunPython(fail)]
"""
A_STEP_WITH_A_BUG = """
class Bug:
    title = "A step of the project's own"

    def check(self, server):
        return "it is never done"

    def apply(self, server):
        env = server.run("sh", "-c", "cat deploy/superlists/.env").stdout.decode()
        raise ZeroDivisionError(env)


def pytest_deploy_steps(app, target, steps):
    steps.append(Bug())
"""

SAMPLE_THERE = """
while [ ! -e /tmp/enough ]; do
    for process in /proc/[0-9]*; do tr '\\0' ' ' < "$process/cmdline" && echo; done 2> /dev/null >> /tmp/sampled
done
true
"""
SAMPLE_HERE = """
import pathlib, sys, time
seen = set()
while not pathlib.Path(sys.argv[1]).exists():
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            seen.add(path.read_bytes())
        except OSError:
            pass
    time.sleep(0.002)
sys.stdout.buffer.write(b"\\n".join(seen))
"""
