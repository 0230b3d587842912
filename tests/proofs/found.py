"""What the proofs might have found."""

from __future__ import annotations

from proofs.blows import Blow
from proofs.load import Act, Load
from proofs.results import About, Results
from proofs.site import Found

WELL = Found(answers=True, lost=0, twice=0, integrity="ok", serves="superlists-2")
ABOUT = About(
    "2026-11-24 12:00 UTC", ".venv/bin/python -m proofs kills --seed=1", {"processor": "A fast one"}, {"pytest": "9"}
)


def blow(
    number: int, place: str, *, what: str = "the process is killed", found: Found = WELL, exit_code: int = 0
) -> Blow:
    return Blow(
        number=number,
        what=what,
        aim="after Switch",
        migrates=number % 2 == 0,
        place=place,
        after=0.25,
        ended=-9,
        found=found,
        waited=number == 0,
        same=True,
        exit_code=exit_code,
        then=WELL,
        failed=0,
        away=0,
        left="",
    )


LATENCIES = {"50 %": 5.0, "99 %": 90.4, "99.9 %": 180.0, "longest": 202.8}
LOAD = Load(
    asked=300,
    rate=299.6,
    seconds=200.0,
    requests={"page": 50_000, "write": 9_920},
    failures=[],
    acknowledged=9_920,
    found=WELL,
    acts=[
        Act("no deploy", [20.0], 6_000, 0, LATENCIES),
        Act("a deploy of a changed line", [8.1, 9.4], 5_000, 0, LATENCIES),
    ],
)
RESULTS = Results(
    load=LOAD,
    kills=[blow(0, "Switch, as it acts"), blow(1, "Switch, ok, before what follows"), blow(2, "Migrate, as it acts")],
    faults=[blow(0, "Ship image, as it acts", what="the ssh connection is cut")],
    about={"load": [ABOUT], "kills": [ABOUT], "faults": [ABOUT]},
)
