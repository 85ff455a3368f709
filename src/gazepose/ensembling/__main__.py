"""Several runs' scores of the same samples -> one score, with files as of a test.

``python -m gazepose.ensembling RUN1 RUN2 ... --method mean|xgboost --out DIR``

A run is its folder, or one of its ``*_predictions.parquet``. ``mean`` averages. ``xgboost`` learns
to combine: on labelled samples by trees that saw none of the clip they judge, on unlabelled ones
(the test set) by trees of the same runs' labelled predictions, made by
``python predict.py run=RUN split=val``, or of those behind ``--fit``, a run or file for each.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from common.runs.script import run_module
from gazepose.ensembling.combining import MEAN, XGBOOST, write_ensemble
from gazepose.evaluation.files import summary_line


def main(arguments: Sequence[str] | None = None) -> None:
    """Combine the predictions of several runs."""
    parser = argparse.ArgumentParser(prog="python -m gazepose.ensembling", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--method", choices=(MEAN, XGBOOST), default=MEAN)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--part", metavar="PART", help="train, val or test; default: as tested")
    parser.add_argument("--fit-part", default="val", metavar="PART", help="default: val")
    parser.add_argument("--fit", type=Path, nargs="+", metavar="RUN", help="what xgboost learns")
    given = parser.parse_args(arguments)
    folder = write_ensemble(
        given.runs, given.method, given.out, given.part, given.fit_part, given.fit
    )
    sys.stdout.write(_headline(folder))


def _headline(folder: Path) -> str:
    lines = [
        f"{summary_line(path.stem, json.loads(path.read_text()))}\n"
        for path in sorted(folder.glob("*.json"))
    ]
    return "".join([*lines, f"-> {folder}\n"])


if __name__ == "__main__":
    run_module(main)
