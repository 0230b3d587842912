"""Put what is promised to the proof, and keep what was found: make proof-load, proof-kills, proof-faults."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from proofs import faults, kills, load, page, results
from proofs.blows import Blow
from proofs.results import Results
from proofs.site import NotTrue


def main() -> int:
    options = parsed()
    folder = options.into or Path(tempfile.mkdtemp(prefix="proofs-"))
    file = folder / results.FILE
    found = results.read(file)
    if options.proof == "page":
        page.draw(found, folder)
        return 0
    try:
        well = {"load": _load, "kills": _kills, "faults": _faults}[options.proof](options, found, file)
    except NotTrue as failure:
        sys.stderr.write(f"\n{failure}\n")
        return 1
    if options.into:
        page.draw(found, folder)
    _say(f"{'All of it held.' if well else 'NOT ALL OF IT HELD.'} What was found is in {file}.")
    return 0 if well else 1


def parsed(typed: Sequence[str] | None = None) -> argparse.Namespace:
    """Read what was typed; ``into`` is None where the pages are to stay as they are."""
    parser = argparse.ArgumentParser(prog="python -m proofs", description=__doc__)
    proofs = parser.add_subparsers(dest="proof", required=True, metavar="PROOF")
    under_load = proofs.add_parser("load", help="releases follow each other under load: no request fails")
    under_load.add_argument("--releases", type=int, default=load.DEPLOYS, metavar="N")
    under_load.add_argument("--rate", type=float, default=load.RATE, metavar="N", help="requests a second")
    under_load.add_argument("--seed", type=int, default=load.SEED, metavar="N")
    sweep = proofs.add_parser("kills", help="the deploying process is killed at every boundary and inside each step")
    sweep.add_argument("--count", type=int, default=kills.COUNT, metavar="N")
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


def _load(options: argparse.Namespace, found: Results, file: Path) -> bool:
    found.about["load"] = [_about(f"load --releases={options.releases} --rate={options.rate:g} --seed={options.seed}")]
    found.load = load.prove(options.releases, options.rate, options.seed, _say)
    results.write(file, found)
    return found.load.is_well


def _kills(options: argparse.Namespace, found: Results, file: Path) -> bool:
    found.kills = [one for one in found.kills if one.number < options.begin]
    before = found.about.get("kills", []) if options.begin else []
    begin = f" --from={options.begin}" if options.begin else ""
    found.about["kills"] = [*before, _about(f"kills --count={options.count} --seed={options.seed}{begin}")]
    kills.sweep(options.count, options.seed, options.begin, _Keeper(found.kills, found, file))
    return all(one.is_well and not one.failed for one in found.kills)


def _faults(options: argparse.Namespace, found: Results, file: Path) -> bool:
    found.faults = []
    found.about["faults"] = [_about("faults")]
    faults.prove(options.only, _Keeper(found.faults, found, file))
    return all(one.is_well for one in found.faults)


def _about(command: str) -> results.About:
    return results.about(f".venv/bin/python -m proofs {command}")


class _Keeper:
    """Adds what was found to the others, writes all of it, and shows it."""

    def __init__(self, blows: list[Blow], found: Results, file: Path) -> None:
        self._blows, self._found, self._file = blows, found, file

    def __call__(self, blow: Blow) -> None:
        self._blows.append(blow)
        results.write(self._file, self._found)
        state = "well" if blow.is_well else "NOT WELL"
        _say(f"{blow.number:4} {state:8} {blow.what}: {blow.place}, {blow.after:.2f} s; failed requests: {blow.failed}")
        if blow.said:
            _say(f"{blow}")


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
