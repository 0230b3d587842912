"""Put what is promised to the proof, and keep what was found: make proof-load, proof-kills, proof-faults."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from proofs import faults, kills, load, page, results
from proofs.blows import Blow
from proofs.kills import Counts
from proofs.results import About
from proofs.site import NotTrue

KILLS = ("--count", "--rollbacks", "--downtimes")
"""How many of each kind of run are killed."""


def main() -> int:
    options = parsed()
    # Whoever stops it finds no server left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = options.into or Path(tempfile.mkdtemp(prefix="proofs-"))
    try:
        if options.proof != "page":
            {"load": _load, "kills": _kills, "faults": _faults}[options.proof](options, folder / results.FILE)
    except NotTrue as failure:
        sys.stderr.write(f"\n{failure}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"\nStopped. What was found is in {folder / results.FILE}.\n")
        return 130
    found = results.read(folder / results.FILE)
    if options.into:
        page.draw(found, folder)
    _say(
        f"{'All of it held.' if found.is_well else 'NOT ALL OF IT HELD.'} What was found is in {folder / results.FILE}."
    )
    return 0 if found.is_well else 1


def parsed(typed: Sequence[str] | None = None) -> argparse.Namespace:
    """Read what was typed; ``into`` is None where the pages are to stay as they are."""
    parser = argparse.ArgumentParser(prog="python -m proofs", description=__doc__)
    proofs = parser.add_subparsers(dest="proof", required=True, metavar="PROOF")
    under_load = proofs.add_parser("load", help="releases follow each other under load: no request fails")
    under_load.add_argument("--releases", type=int, default=load.DEPLOYS, metavar="N")
    under_load.add_argument("--rate", type=float, default=load.RATE, metavar="N", help="requests a second")
    under_load.add_argument("--seed", type=int, default=load.SEED, metavar="N")
    sweep = proofs.add_parser("kills", help="what changes a server is killed, between and inside steps")
    for name, kind in zip(KILLS, fields(Counts), strict=True):
        sweep.add_argument(name, dest=kind.name, type=int, default=kind.default, metavar="N", help=f"of {kind.name}")
    sweep.add_argument("--seed", type=int, default=kills.SEED, metavar="N")
    sweep.add_argument(
        "--from", dest="begin", type=int, default=0, metavar="N", help="go on with it, keep those before"
    )
    struck = proofs.add_parser("faults", help="the server fails, or the connection, or the process stands still")
    struck.add_argument("--only", default="", metavar="WORDS", help="those whose name has these words")
    proofs.add_parser("page", help="draw the page anew from what was kept")
    for one in proofs.choices.values():
        one.add_argument("--into", type=Path, metavar="FOLDER", help="where the page is; without it, it stays as it is")
    return parser.parse_args(typed)


def _load(options: argparse.Namespace, file: Path) -> None:
    about = _about(f"load --releases={options.releases} --rate={options.rate:g} --seed={options.seed}")
    results.keep(file, load=load.prove(options.releases, options.rate, options.seed, _say), about={"load": [about]})


def _kills(options: argparse.Namespace, file: Path) -> None:
    begin, there = options.begin, results.read(file)
    earlier = there.about.get("kills", []) if begin else []
    counts = Counts(options.deploys, options.rollbacks, options.downtimes)
    each = " ".join(f"{name}={count}" for name, count in zip(KILLS, asdict(counts).values(), strict=True))
    on = f" --from={begin}" if begin else ""
    about = [*earlier, _about(f"kills {each} --seed={options.seed}{on}")]
    kept = [one for one in there.kills if one.number < begin]

    def keep(blow: Blow) -> None:
        kept.append(blow)
        results.keep(file, kills=kept, about={"kills": about})
        _tell(blow)

    kills.sweep(counts, options.seed, begin, keep)


def _faults(options: argparse.Namespace, file: Path) -> None:
    only, there = options.only, results.read(file)
    earlier = there.about.get("faults", []) if only else []
    about = [*earlier, _about(f'faults --only="{only}"' if only else "faults")]
    kept = [one for one in there.faults if only not in one.what]

    def keep(blow: Blow) -> None:
        kept.append(blow)
        results.keep(file, faults=kept, about={"faults": about})
        _tell(blow)

    faults.prove(only, keep)


def _about(command: str) -> About:
    return results.about(f".venv/bin/python -m proofs {command}")


def _tell(blow: Blow) -> None:
    state = "well" if blow.is_well else "NOT WELL"
    told = f"; maintenance page: {blow.closed}" if blow.closed else ""
    where = f"{blow.run}, {blow.what}: {blow.place}, {blow.after:.2f} s"
    _say(f"{blow.number:4} {state:8} {where}; failed requests: {blow.failed}{told}")
    if blow.said:
        _say(f"{blow}")


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
