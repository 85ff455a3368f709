"""Which frames make a clip, and which frames are the middle of one."""

import numpy as np
import numpy.typing as npt

from common.arrays import Bools
from gazepose.batch import CENTRE, NUM_FRAMES
from gazepose.store.reading import LamPart
from gazepose.store.table import LamTable, Rows

_STEPS = np.arange(NUM_FRAMES) - CENTRE


def window_rows(table: LamTable, rows: Rows) -> Rows:
    """Return the rows (n, 7) of clips' frames: of the frame numbers f-3 to f+3 of a middle's track.

    It is -1 where the track has no such frame number. A row may still be without an image.
    """
    frames = table.frame[rows][:, None] + _STEPS
    found = table.find(np.broadcast_to(table.track[rows][:, None], frames.shape), frames)
    found[:, CENTRE] = rows
    return found


def keyframes(table: LamTable, part: LamPart, stride: int, use_filter: bool) -> Rows:
    """Return the rows that are the middle of a clip: every `stride`-th of each track.

    Counted is the position in the track, gaps filled, not the frame number; frames without an
    image count too and are left out afterwards. Samples of the challenge's test set (part ``test``
    with a unique id) stay, as a submission wants all of them: a clip without its middle image has
    a black one. `use_filter` leaves out what the published filter drops, as training with Gaussian
    dropout does.

    Raises:
        ValueError: If the stride is less than 1.
    """
    if stride < 1:
        raise ValueError(f"stride is {stride}, expected at least 1")
    rows = table.rows_of_part(part)
    rows = rows[table.track_index[rows] % stride == 0]
    if use_filter:
        rows = rows[~table.is_filtered[rows]]
    is_kept = table.num_bytes[rows] > 0
    if part == "test":
        is_kept[~is_kept] = _has_unique_id(table, rows[~is_kept])
    return rows[is_kept]


def _has_unique_id(table: LamTable, rows: Rows) -> Bools:
    ids = table.select(rows, ["unique_id"])["unique_id"].fill_null("")
    return (ids != "").to_numpy()


def class_weights(labels: npt.NDArray[np.int8]) -> tuple[float, float]:
    """Return the weights of "not looking" and "looking" in the loss, from labels (n,), 1 or 0.

    They are the fraction of positives and that of negatives, as published: a class weighs as much
    as the other one is frequent.
    """
    positive = float(np.mean(labels == 1))
    return positive, 1 - positive
