"""Which topmost layers can be built alone, and how."""

from __future__ import annotations

import pytest

from deploy_plugin.images.scratch import only_last

BUILT = """\
# A comment.
FROM base AS code
RUN make \\
    # in between
    all

FROM base
RUN prepare
ENV A=1 \\
    B=2
WORKDIR /app
LABEL x=y
COPY --from=code /layer/ /
COPY settings.py .
CMD ["run"]
"""


def test_the_final_stage_keeps_what_puts_files_there_and_nothing_else_changes() -> None:
    before, _, stage = (only_last(BUILT, 2, "/app") or "").partition("FROM scratch\n")
    assert before == BUILT[: BUILT.index("\nFROM base\n")]
    lines = [line for line in stage.splitlines() if line]
    assert lines == ["COPY --from=code /layer/ /", "COPY settings.py /app/"]


def test_values_stay_where_they_are_asked_for() -> None:
    _, _, stage = (only_last(BUILT.replace("settings.py", "$A.py"), 2, "/app") or "").partition("FROM scratch\n")
    lines = [line for line in stage.splitlines() if line]
    assert lines == ["ENV A=1 \\", "    B=2", "COPY --from=code /layer/ /", "COPY $A.py /app/"]


def test_only_as_many_as_are_asked_for() -> None:
    only = only_last(BUILT, 1, "/app")
    assert only
    assert only.endswith("COPY settings.py /app/\n")
    assert "/layer/" not in only


@pytest.mark.parametrize(
    ("destination", "absolute"),
    [(".", "/app/"), ("./", "/app/"), ("x", "/app/x"), ("x/", "/app/x/"), ("/y", "/y"), ("/", "/")],
)
def test_a_destination_does_not_depend_on_the_working_directory(destination: str, absolute: str) -> None:
    only = only_last(f"FROM base\nCOPY a {destination}\n", 1, "/app")
    assert only
    assert only.split()[-1] == absolute


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM base\nCOPY a /\nRUN make\n",
        "FROM base\nRUN make\n",
        "FROM base\nCOPY a b\nWORKDIR /x\n",
        'FROM base\nCOPY ["a b", "/"]\n',
        "FROM base\nCOPY a $HOME\n",
        "FROM base\nCOPY <<END /a\nx\nEND\n",
        "",
    ],
)
def test_what_can_not_be_built_alone_is_left_to_the_other_way(dockerfile: str) -> None:
    assert only_last(dockerfile, 1, "/") is None
