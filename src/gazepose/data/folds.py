"""Folds of labelled photos: over all of them every face is tested once."""

import hashlib

import numpy as np
import numpy.typing as npt

from gazepose.readers.photos.parts import photo_units
from gazepose.store.reading import PARTS
from gazepose.store.table import LamTable

_LEAST_FOLDS = 3
_PART_OF_STEP = {0: "test", 1: "val"}


def in_fold(table: LamTable, num_folds: int | None, fold: int | None) -> LamTable:
    """Return a table whose parts are those of one training of several, whatever they were.

    The faces of a photo, and whoever is known by name, stay together. Their fold is the SHA-1 of
    the photo's name as the labels have it, or of the person's, modulo the number of folds: a
    further photo moves no other. The fold tests, the next one validates, all others are trained on.

    Args:
        table: of photos.
        num_folds: into how many.
        fold: which of them, from 0.

    Raises:
        ValueError: If there are no such folds, or it holds clips.
    """
    if num_folds is None or num_folds < _LEAST_FOLDS:
        raise ValueError(
            f"num_folds is {num_folds}, expected at least {_LEAST_FOLDS}, to train, validate and "
            "test on: type data.datamodule.num_folds=5"
        )
    if fold is None or not 0 <= fold < num_folds:
        raise ValueError(f"fold is {fold}, expected 0 to {num_folds - 1}: data.datamodule.fold=0")
    steps = (_folds(table, num_folds) - fold) % num_folds
    parts = [PARTS.index(_PART_OF_STEP.get(step, "train")) for step in range(num_folds)]
    return table.with_parts(np.array(parts, np.int8)[steps])


def _folds(table: LamTable, num_folds: int) -> npt.NDArray[np.int64]:
    """Return the fold of each track (T,)."""
    faces = table.select(table.track_starts[:-1], ["photo", "person_id"])
    if faces["photo"].null_count():
        raise ValueError(
            f"{table.store_dir} holds clips, folds are of labelled photos: leave out "
            "data.datamodule.num_folds"
        )
    unit_of_photo = photo_units(faces.rows())
    return np.array([_number(unit_of_photo[photo]) % num_folds for photo in faces["photo"]])


def _number(unit: str) -> int:
    _, _, name = unit.partition(" ")
    return int(hashlib.sha1(name.encode()).hexdigest(), 16)
