"""One clip -> its pack and table; the work of one process.

Nothing here imports torch: every spawned worker would spend seconds on it.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from common.arrays import Float
from common.faces.head_pose import mesh_definition
from common.faces.mediapipe.release import release_definition
from common.files.checksums import plain_digest
from common.preprocessing.recipe import StoreRecipe
from common.store.skipped import Skipped
from common.store.writing import GroupWriter, Row
from gazepose.preprocessing.clip_faces import clip_faces
from gazepose.preprocessing.preparation import (
    NONE,
    PRIOR,
    PRIOR_OR_MESH,
    PreparationSettings,
    PreparedFace,
    Preparer,
)
from gazepose.preprocessing.prior_check import preparation_of, prior_sizes
from gazepose.readers.sample import RawFace, RawReader
from gazepose.store.columns import BOX_COLUMNS, HEAD_POSE_COLUMNS, POINT_COLUMNS
from gazepose.store.reading import FRAMES_FILE


@dataclass(frozen=True)
class GroupRecipe(StoreRecipe[RawFace]):
    """Makes clips of a store."""

    reader: RawReader
    preparation: PreparationSettings

    def described(self) -> dict[str, Any]:
        """Return what the store's content depends on, as plain values; folders may be moved."""
        return {**super().described(), **self.preparation.recipe()}

    def fingerprint(self, group: str) -> str | None:
        """Return what a group would be made from now; errors as the reader's.

        Prior files that nothing is taken from are not asked for.
        """
        made_from = super().fingerprint(group)
        sources: dict[str, Any] = prior_sizes(self.reader, self.preparation, group)
        if self.preparation.wanted_priors:
            decided = preparation_of(self.reader, self.preparation, group)
            if self.preparation.head_pose == PRIOR_OR_MESH:
                sources |= mesh_definition(decided.head_pose)
            if decided.uses_mesh:
                sources |= release_definition()
        return f"{made_from} {plain_digest(sources)}" if made_from and sources else made_from

    def rows(self, group: str, on_item: Callable[[], object]) -> Iterator[Row | Skipped]:
        """Yield the rows of one clip; call `on_item` once a row."""
        preparation = preparation_of(self.reader, self.preparation, group)
        return prepared_rows(self.reader.read(group), preparation, on_item)

    def write(self, writer: GroupWriter, group: str, on_item: Callable[[], object]) -> None:
        """Write the rows of one clip, which takes another's place when all are there."""
        super().write(writer, group, on_item)
        if writer.replaces:
            # It would point into the replaced pack, for ever if the run is interrupted.
            (self.store_dir / FRAMES_FILE).unlink(missing_ok=True)


def prepared_rows(
    items: Iterable[RawFace | Skipped],
    preparation: PreparationSettings,
    on_item: Callable[[], object] = lambda: None,
) -> Iterator[Row | Skipped]:
    """Yield the rows of what a reader read of one group, measured; call `on_item` once a row.

    Raises:
        ValueError: If a video cannot be opened at all.
    """
    for item in clip_faces(items, _preparer(preparation), on_item):
        if isinstance(item, Skipped):
            yield item
        else:
            raw, face = item
            yield b"" if face is None else face.encoded, _row(raw, face, preparation)


@cache
def _preparer(preparation: PreparationSettings) -> Preparer:
    """Return this process's preparer: MediaPipe's graphs are built once a process."""
    return preparation.build()


def _row(raw: RawFace, face: PreparedFace | None, settings: PreparationSettings) -> dict[str, Any]:
    """Return the row of a face; its place in the pack is not in it."""
    measured = (None, None) if face is None else (face.head_pose_deg, face.points)
    head_pose = _chosen(settings.head_pose, raw.head_pose_deg, measured[0])
    points = _chosen(settings.landmarks, raw.points, measured[1])
    return {
        "part": raw.part,
        "track_id": raw.track_id,
        "person_id": raw.person_id,
        "unique_id": raw.unique_id,
        "frame": raw.frame,
        "track_index": raw.track_index,
        "label": raw.label,
        **_named(BOX_COLUMNS, raw.bbox_xyxy_px),
        "is_interpolated": raw.is_interpolated,
        **_named(HEAD_POSE_COLUMNS, head_pose),
        "head_pose_source": None if head_pose is None else settings.head_pose,
        **_named(POINT_COLUMNS, points),
        "landmark_source": None if points is None else settings.landmarks,
        "sharpness": math.nan if face is None else face.sharpness,
        "prior_sharpness_p": math.nan if raw.sharpness_p is None else raw.sharpness_p,
        "is_filtered": bool(raw.is_filtered),
        "photo": raw.clip_uid if raw.is_photo else None,
        "source": raw.source,
    }


def _chosen(source: str, prior: Float | None, measured: Float | None) -> Float | None:
    if source == NONE:
        return None
    return prior if source == PRIOR else measured


def _named(names: tuple[str, ...], values: Float | None) -> dict[str, float]:
    found = np.full(len(names), math.nan) if values is None else values.reshape(-1)
    return dict(zip(names, map(float, found), strict=True))
