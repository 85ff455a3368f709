"""How many faces have the priors that a net is asked to use, and priors that it can tell apart."""

import logging

import numpy as np

from common.arrays import Bools, Float
from gazepose.priors import num_beyond
from gazepose.store.reading import LamPart
from gazepose.store.table import LamTable, Rows

LOG = logging.getLogger(__name__)
_FEW = 0.5
_PIECE_ROWS = 1 << 16
_PREPARATION = "preprocess with data.preprocessor.preparation"
_REMEDIES = {
    "landmarks": f"{_PREPARATION}.landmarks=mesh, or train with priors=head or none",
    "head pose": f"{_PREPARATION}.head_pose=mesh, or train with priors=landmarks or none",
    "sharpness": "preprocess again, or train with dropout=none or uniform",
}


def check_coverage(table: LamTable, part: LamPart, *, needs_sharpness: bool) -> None:
    """Warn if less than half of a part's face images have a prior that the table was read with.

    Sharpness is one where Gaussian dropout is to decide by it.

    Raises:
        ValueError: If none has it.
    """
    rows = table.rows_of_part(part)
    rows = rows[table.num_bytes[rows] > 0]
    for prior, is_known in _known(table, rows, needs_sharpness).items():
        num_known = int(is_known.sum())
        found = f"{num_known} of {len(rows)} face images of {part!r} in {table.store_dir}"
        if len(rows) and not num_known:
            raise ValueError(f"{found} have {prior}{_sources(table, prior)}: {_REMEDIES[prior]}")
        if num_known < _FEW * len(rows):
            LOG.warning("only %s have %s%s", found, prior, _sources(table, prior))


def warn_of_wide_angles(head_pose_deg: Float, split_deg: float) -> None:
    """Warn of head poses (N, 3) in degrees that the table of bins does not reach."""
    # In pieces: temporary arrays of all rows would be what the process needs most memory for.
    pieces = np.array_split(head_pose_deg, 1 + len(head_pose_deg) // _PIECE_ROWS)
    warn_of_num_beyond(sum(num_beyond(piece, split_deg) for piece in pieces), len(head_pose_deg))


def warn_of_num_beyond(num: int, num_poses: int) -> None:
    """Warn of so many head poses of all, if there are any."""
    if num:
        LOG.warning(
            "%d of %d head poses have an angle beyond 90 degrees and take the last bin",
            *(num, num_poses),
        )


def _known(table: LamTable, rows: Rows, needs_sharpness: bool) -> dict[str, Bools]:
    # The first number tells: what was not found is NaN throughout.
    known = {}
    if table.landmarks is not None:
        known["landmarks"] = np.isfinite(table.landmarks[rows, 0])
    if table.head_pose_deg is not None:
        known["head pose"] = np.isfinite(table.head_pose_deg[rows, 0])
    if needs_sharpness:
        known["sharpness"] = np.isfinite(table.sharpness_p[rows])
    return known


def _sources(table: LamTable, prior: str) -> str:
    column = {"landmarks": "landmark_source", "head pose": "head_pose_source"}.get(prior)
    return f" ({column}: {table.counts(column)})" if column else ""
