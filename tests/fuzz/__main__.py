"""Mutated inputs for every reader: `make fuzz`, `make fuzz FUZZ='--inputs 5000 --seed 1'`.

A reader may return, or raise a ValueError that names the file. Anything else, a hang and a process
that dies included, is listed, its smallest input kept in ``tests/fuzz/kept``, and the status is 1.
"""

import argparse
import sys
from contextlib import ExitStack

from fuzz.campaign import Found, keep, try_target
from fuzz.target import Target
from fuzz.targets import TARGETS
from fuzz.trial import Trial


def main() -> int:
    """Try the readers; return 1 if any failed."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    names = [target.name for target in TARGETS]
    parser.add_argument("--inputs", type=int, default=500, help="of each reader; default 500")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes; default 2")
    parser.add_argument("--readers", nargs="+", choices=names, default=names, metavar="READER")
    parser.add_argument("--forget", action="store_true", help="keep no failing input")
    given = parser.parse_args()
    num_inputs = num_failures = 0
    with ExitStack() as stack:
        trials = [stack.enter_context(Trial()) for _ in range(given.jobs)]
        for target in (target for target in TARGETS if target.name in given.readers):
            found = try_target(target, given.seed, given.inputs, trials)
            num_inputs += found.counts.total()
            num_failures += len(found.failures)
            _tell(target, found, keeps=not given.forget)
    sys.stdout.write(f"{num_inputs} inputs, {num_failures} kinds of failure\n")
    return 1 if num_failures else 0


def _tell(target: Target, found: Found, *, keeps: bool) -> None:
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(found.counts.items()))
    lines = [f"{target.name:<20} {counts}"]
    for failure in found.failures.values():
        where = keep(target, failure) if keeps else failure.file
        lines += [f"  {failure.outcome.kind}: {failure.outcome.what}", f"    {where}"]
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
