"""Predictions of the test set -> the json that EvalAI takes, and a check of it.

``python -m gazepose.submission PRED.csv OUT.json --store STORE`` writes and checks;
``python -m gazepose.submission OUT.json --store STORE`` checks only.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from common.runs.script import run_module
from gazepose.submission.check import validate_submission
from gazepose.submission.writing import convert_predictions, expected_samples


def main(arguments: Sequence[str] | None = None) -> int:
    """Write and check, or only check, a submission; 0 if it is fit."""
    parser = argparse.ArgumentParser(prog="python -m gazepose.submission", description=__doc__)
    parser.add_argument("source", type=Path, metavar="PRED.csv|FILE.json")
    parser.add_argument("output", type=Path, metavar="OUT.json", nargs="?")
    parser.add_argument("--store", type=Path, metavar="STORE", help="the test set's face store")
    given = parser.parse_args(arguments)
    if (given.source.suffix == ".json") == (given.output is not None):
        parser.error("give PRED.csv OUT.json to write, or FILE.json to check")
    if given.output is not None:
        convert_predictions(given.source, given.output)
    expected = None if given.store is None else expected_samples(given.store)
    report = validate_submission(given.output or given.source, expected)
    sys.stdout.write(report.text)
    return 1 if report.problems else 0


if __name__ == "__main__":
    run_module(main)
