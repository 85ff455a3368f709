"""Several runs' predictions of the same samples, found, read and compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from common.files.foreign_tables import named_table_errors
from common.files.sealed import read_table
from gazepose.ensembling.stacking import Float
from gazepose.evaluation.predictions import PREDICTIONS_SUFFIX, TEST_AGAIN, read_described
from gazepose.submission.official_csv import KEY, check_scores

NAMES = ("model", "trained_on", "tested_on")
_KINDS = {
    **dict.fromkeys(("uid", "trackid", "unique_id", "part"), pl.String),
    **{"frame": pl.Int64, "label": pl.Int64, "score": pl.Float64},
}
# Where a model's priors come from, and which frames it leaves out, is its own affair.
_OWN = ("landmark_source", "head_pose_source", "dropout")


@dataclass(frozen=True)
class Members:
    """The same samples, scored by several runs.

    Attributes:
        paths: of the predictions, one a run.
        described: what was tested, one a run.
        samples: the first run's predictions, which all columns but the score are taken from.
        scores: (N, K) of K runs.
    """

    paths: tuple[Path, ...]
    described: tuple[Mapping[str, Any], ...]
    samples: pl.DataFrame
    scores: Float

    @property
    def has_labels(self) -> bool:
        """Whether any label is known."""
        return bool((self.samples["label"] >= 0).any())

    @property
    def protocol(self) -> dict[str, Any]:
        """The runs' protocol; where they differ by right, all their values: ``none+gaussian``."""
        return {name: _joined(values) for name, values in _by_condition(self.described).items()}

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
            raise ValueError(
                f"{run} holds several predictions, name one instead of the run (those to learn "
                f"from behind --fit): {names}"
            )
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
        ValueError: If a file is damaged, samples or labels differ, or the runs were tested under
            other conditions: stride, smoothing, flip averaging, precision.
    """
    first, *others = (_read_ordered(path) for path in paths)
    for path, other in zip(paths[1:], others, strict=True):
        _check_same_samples(first, paths[0], other, path)
    described = tuple(_read_described(path) for path in paths)
    for name, values in _by_condition(described).items():
        if name not in _OWN:
            _check_same(name, values, paths)
    scores = np.stack([table["score"].to_numpy() for table in (first, *others)], axis=1)
    back = np.argsort(first["place"].to_numpy())
    return Members(tuple(paths), described, first[back].drop("place"), scores[back])


def check_fit(fitted_on: Members, members: Members) -> None:
    """Refuse to learn from other scores than those that are combined.

    Raises:
        ValueError: If they are not of the same models in the same order, tested under the same
            conditions (the stride matters to smoothed scores only), or share clips with labels.
    """
    if len(fitted_on.paths) != len(members.paths):
        raise ValueError(
            f"got {len(members.paths)} runs and {len(fitted_on.paths)} to learn from behind --fit, "
            "expected one for each, in the same order"
        )
    for paths, pair in zip(
        zip(fitted_on.paths, members.paths, strict=True),
        zip(fitted_on.described, members.described, strict=True),
        strict=True,
    ):
        for name in ("model", "trained_on"):
            _check_same(name, [one[name] for one in pair], paths)
        for name, values in _by_condition(pair).items():
            if name != "stride" or pair[0]["protocol"]["smoothing"] is not None:
                _check_same(name, values, paths)
    _check_other_clips(fitted_on, members)


def _check_other_clips(fitted_on: Members, members: Members) -> None:
    shared = set(fitted_on.samples["uid"]) & set(members.samples["uid"])
    if shared and members.has_labels:
        raise ValueError(
            f"{len(shared)} clips, e.g. {min(shared)}, are to be learned from and to be judged: "
            "leave out --fit, then each is judged by what the others taught"
        )


def _by_condition(described: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    protocols = [one["protocol"] for one in described]
    names = dict.fromkeys(name for protocol in protocols for name in protocol)
    return {name: [protocol.get(name) for protocol in protocols] for name in names}


def _check_same(name: str, values: Sequence[Any], paths: Sequence[Path]) -> None:
    for path, value in zip(paths, values, strict=True):
        if value != values[0]:
            raise ValueError(
                f"{paths[0]} and {path} do not belong together: {name} is {values[0]!r} and "
                f"{value!r}; test one of them again as the other was (python predict.py run=RUN "
                "split=PART ...), and name the files"
            )


def _joined(values: Sequence[Any]) -> Any:
    if all(value == values[0] for value in values):
        return values[0]
    return "+".join(dict.fromkeys(str(value) for value in values))


def _part(path: Path) -> str | None:
    parts = read_table(path, TEST_AGAIN, ["part"])["part"]
    return str(parts[0]) if len(parts) else None


def _read_described(path: Path) -> dict[str, Any]:
    described = read_described(path)
    protocol = described["protocol"]
    has_all = {*NAMES} <= {*described} and {"stride", "smoothing"} <= {*protocol}
    if not has_all or not isinstance(protocol["smoothing"], str | None):
        raise ValueError(f"{path} does not say all of how it was tested; test again")
    return described


def _read_ordered(path: Path) -> pl.DataFrame:
    table = read_table(path, TEST_AGAIN)
    lacking = [name for name in (*KEY, "part", "label", "score") if name not in table.columns]
    if lacking:
        raise ValueError(f"{path} lacks the columns {', '.join(lacking)}; test again")
    with named_table_errors(path, "test again"):
        # Bytes that spell nothing are an error here, not where a message shows them.
        table = table.cast({name: kind for name, kind in _KINDS.items() if name in table.columns})
        check_scores(table)
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
