"""Several runs' scores of the same samples -> one score, with files as of a test.

``python -m gazepose.ensembling RUN1 RUN2 ... --method mean|xgboost --out DIR``

A run is its folder, or one of its ``*_predictions.parquet``. ``mean`` averages. ``xgboost`` learns
to combine: on labelled samples by trees that saw none of the clip they judge, on unlabelled ones
(the test set) by trees of the same runs' labelled predictions, made by
``python predict.py run=RUN split=val``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gazepose.predictions import KEY
from gazepose.result_files import PREDICTIONS_SUFFIX, write_results
from gazepose.stacking import Float, Stacking

MEAN, XGBOOST = "mean", "xgboost"


@dataclass(frozen=True)
class Members:
    """The same samples, scored by several runs.

    Attributes:
        paths: of the predictions, one a run.
        samples: the first run's predictions, which all columns but the score are taken from.
        scores: (N, K) of K runs.
    """

    paths: tuple[Path, ...]
    samples: pl.DataFrame
    scores: Float

    @property
    def is_labelled(self) -> bool:
        """Whether all labels are known."""
        return bool((self.samples["label"] >= 0).all())

    def with_scores(self, scores: Float) -> pl.DataFrame:
        """Return the samples with other scores (N,)."""
        return self.samples.with_columns(pl.Series("score", scores))


def find_predictions(run: Path, part: str | None) -> Path:
    """Return the predictions of a run: of the test after training, else of ``predict.py``.

    Args:
        run: the run's folder, or the file itself.
        part: which part they are of, e.g. val; any if None.

    Raises:
        ValueError: If there are none, or several to choose from.
    """
    if run.is_file():
        return run
    for pattern in (f"test/*{PREDICTIONS_SUFFIX}", f"predict/*/*{PREDICTIONS_SUFFIX}"):
        found = [path for path in sorted(run.glob(pattern)) if part in (None, _part(path))]
        if len(found) > 1:
            names = ", ".join(str(path.relative_to(run)) for path in found)
            raise ValueError(f"{run} holds several predictions, name one as the run: {names}")
        if found:
            return found[0]
    of_part = "" if part is None else f" of the part {part}"
    raise ValueError(
        f"{run} holds no predictions{of_part} (test/*{PREDICTIONS_SUFFIX}): type "
        f"python predict.py run={run} split={part or 'val'}"
    )


def read_members(paths: Sequence[Path]) -> Members:
    """Read several runs' predictions of the same samples, in whatever order they are.

    Raises:
        ValueError: If a file is damaged, or samples or labels differ.
    """
    first, *others = (_read_ordered(path) for path in paths)
    for path, other in zip(paths[1:], others, strict=True):
        _check_same_samples(first, paths[0], other, path)
    scores = np.stack([table["score"].to_numpy() for table in (first, *others)], axis=1)
    back = np.argsort(first["place"].to_numpy())
    return Members(tuple(paths), first[back].drop("place"), scores[back])


def combine(members: Members, method: str, fitted_on: Members | None = None) -> pl.DataFrame:
    """Return the samples with one score from those of all runs.

    Args:
        members: the scored samples.
        method: ``mean`` or ``xgboost``.
        fitted_on: labelled predictions of the same runs in the same order, which ``xgboost`` learns
            from; None to learn from `members` themselves, by `Stacking.cross_fitted`.

    Raises:
        ValueError: If the method is unknown, or as `Stacking`.
    """
    if method == MEAN:
        return members.with_scores(members.scores.mean(axis=1))
    if method != XGBOOST:
        raise ValueError(f"method is {method!r}, expected {MEAN!r} or {XGBOOST!r}")
    source = members if fitted_on is None else fitted_on
    labels, clips = source.samples["label"].to_numpy(), source.samples["uid"].to_numpy()
    if not source.is_labelled:
        raise ValueError(f"{source.paths[0]} has samples without a label to learn from")
    stacking = Stacking()
    if fitted_on is None:
        return members.with_scores(stacking.cross_fitted(members.scores, labels, clips))
    return members.with_scores(stacking.fit_predict(source.scores, labels, members.scores))


def write_ensemble(
    runs: Sequence[Path], method: str, output_dir: Path, part: str | None, fit_part: str
) -> Path:
    """Combine the predictions of runs and write them as a test's.

    Args:
        runs: two or more folders of runs, or files of predictions.
        method: ``mean`` or ``xgboost``.
        output_dir: the files go to its ``predict/METHOD``, where the report looks.
        part: which part's predictions; of any if None.
        fit_part: which part's predictions ``xgboost`` learns from, if those have no labels.

    Returns:
        The folder of the files.

    Raises:
        ValueError: If there are fewer than two runs, or as `combine`, `read_members` and
            `find_predictions`.
    """
    if len(runs) < 2:
        raise ValueError(f"got {len(runs)} runs, expected two or more")
    members = read_members([find_predictions(run, part) for run in runs])
    fitted_on = None
    if method == XGBOOST and not members.is_labelled:
        fitted_on = read_members([find_predictions(run, fit_part) for run in runs])
    folder = output_dir / "predict" / method
    combined = combine(members, method, fitted_on)
    write_results(combined, _described(members, method), folder, f"{method}_of_{len(runs)}")
    return folder


def main(arguments: Sequence[str] | None = None) -> None:
    """Combine the predictions of several runs."""
    parser = argparse.ArgumentParser(prog="python -m gazepose.ensembling", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--method", choices=(MEAN, XGBOOST), default=MEAN)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--part", metavar="PART", help="train, val or test; default: as tested")
    parser.add_argument("--fit-part", default="val", metavar="PART", help="default: val")
    given = parser.parse_args(arguments)
    folder = write_ensemble(given.runs, given.method, given.out, given.part, given.fit_part)
    sys.stdout.write(_headline(folder))


def _headline(folder: Path) -> str:
    lines = [
        f"{path.stem}: mAP {json.loads(path.read_text())['map']}\n"
        for path in sorted(folder.glob("*.json"))
    ]
    return "".join([*lines, f"-> {folder}\n"])


def _part(path: Path) -> str:
    return str(pl.read_parquet(path, columns=["part"], n_rows=1).item())


def _read_ordered(path: Path) -> pl.DataFrame:
    try:
        table = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ValueError(f"{path}: no readable predictions ({error}); test again") from error
    lacking = [name for name in (*KEY, "part", "label", "score") if name not in table.columns]
    if lacking:
        raise ValueError(f"{path} lacks the columns {', '.join(lacking)}; test again")
    named = table.with_columns(pl.col("unique_id").fill_null("")).with_row_index("place")
    return named.sort(*KEY, "place")


def _check_same_samples(
    one: pl.DataFrame, one_path: Path, other: pl.DataFrame, other_path: Path
) -> None:
    if not one.select(KEY).equals(other.select(KEY)):
        alone = one.join(other, on=KEY, how="anti"), other.join(one, on=KEY, how="anti")
        raise ValueError(
            f"{one_path} and {other_path} are not of the same samples: {one.height} and "
            f"{other.height}, of which {alone[0].height} and {alone[1].height} in one file only"
        )
    if not one["label"].equals(other["label"]):
        raise ValueError(f"{one_path} and {other_path} have other labels for the same samples")


def _described(members: Members, method: str) -> dict[str, Any]:
    summaries = [_summary(path) for path in members.paths]
    first = summaries[0]
    names = ", ".join(str(summary.get("model", "?")) for summary in summaries)
    trained_on = sorted({str(summary.get("trained_on", "?")) for summary in summaries})
    return {
        "model": f"{method} of {names}",
        "trained_on": "+".join(trained_on),
        "tested_on": first.get("tested_on", "?"),
        "part": members.samples["part"][0],
        "stride": first.get("stride"),
        "protocol": first.get("protocol", {}),
    }


def _summary(path: Path) -> Mapping[str, Any]:
    """Return the numbers beside a file of predictions; none where no label is known."""
    summary = path.with_name(path.name.removesuffix(PREDICTIONS_SUFFIX) + ".json")
    return dict(json.loads(summary.read_text())) if summary.is_file() else {}


if __name__ == "__main__":
    main()
