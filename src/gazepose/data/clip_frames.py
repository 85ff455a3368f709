"""Reading a clip's frames from the store's packs."""

import logging
from typing import Any

import numpy as np

from common.arrays import Image
from common.media.image_codec import decode_image
from common.store.packs import REPAIR, Packs
from common.store.reading import GroupPaths
from gazepose.data.face_view import FaceView
from gazepose.store.table import LamTable, Rows

LOG = logging.getLogger(__name__)


class ClipFrames:
    """Decodes frames by their row; safe to pickle into loader workers.

    A frame whose bytes are damaged counts as missing, like one that has no image, so that one bad
    block of a disk does not end a training of days; where it is a clip's middle, the clip has a
    black one. Each process warns of the first, the tenth, the hundredth ... one it meets.

    Args:
        table: all frames.
        view: what is given of each.

    Attributes:
        num_damaged: how many damaged frames this process has met, each counted once.

    Raises:
        ValueError: If a pack is gone; says how to make it again.
    """

    def __init__(self, table: LamTable, view: FaceView) -> None:
        self._table = table
        self._view = view
        paths = [GroupPaths(table.store_dir, group).pack for group in table.group_names]
        lacking = [path for path in paths if not path.is_file()]
        if lacking:
            raise ValueError(f"{len(lacking)} packs are gone, e.g. {lacking[0]}; {REPAIR}")
        self._packs = Packs(paths)
        self._damaged: set[int] = set()
        # Of the clip before: in evaluation the next one shares six frames with it.
        self._recent: dict[int, Image | None] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_recent": {}}

    @property
    def num_damaged(self) -> int:
        """Return how many damaged frames this process has met."""
        return len(self._damaged)

    def read(self, rows: Rows) -> list[Image | None]:
        """Return the frames of one clip, of rows (n,) of one pack; -1 asks for nothing.

        Each is (size, size, 3) uint8 RGB, not to be written to; None where nothing was asked for,
        the row has no image, or it is damaged.
        """
        asked = [int(row) for row in rows if row >= 0 and self._table.num_bytes[row] > 0]
        new = [row for row in dict.fromkeys(asked) if row not in self._recent]
        known = {row: self._recent[row] for row in asked if row in self._recent}
        self._recent = known | dict(zip(new, self._decoded(new), strict=True))
        return [self._recent.get(int(row)) for row in rows]

    def _decoded(self, rows: list[int]) -> list[Image | None]:
        if not rows:
            return []
        table = self._table
        places = [
            (int(table.offset[row]), int(table.num_bytes[row]), int(table.crc32[row]))
            for row in rows
        ]
        (pack,) = set(table.group(np.array(rows)).tolist())
        images = [
            None if data is None else decode_image(data) for data in self._packs.read(pack, places)
        ]
        for row, image in zip(rows, images, strict=True):
            if image is None:
                self._note_damage(row, pack)
        return [None if image is None else self._view(image) for image in images]

    def _note_damage(self, row: int, pack: int) -> None:
        if row in self._damaged:
            return
        self._damaged.add(row)
        count = len(self._damaged)
        if str(count).strip("0") == "1":
            LOG.warning(
                "%s: row %d is damaged and counts as missing (%d so far in this process); %s",
                self._packs.paths[pack],
                row,
                count,
                REPAIR,
            )
