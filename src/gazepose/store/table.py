"""All frames of a store as flat arrays: what training asks of three million rows at once.

The arrays hold numbers only, nothing is a Python object per frame: 3 million frames with both
priors take 0.36 GB. Forked loader workers share them, because nobody writes to them; spawned ones
get a copy. Names and whatever only results need stay in the file: `LamTable.select` fetches them.
"""

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from common.arrays import Array, Bools
from common.files.sealed import scan_table
from gazepose.store.columns import with_newer_columns
from gazepose.store.reading import FRAMES_FILE, PARTS, REMEDY, LamPart, read_frames

Rows = npt.NDArray[np.int64]

# Frame numbers of two tracks never meet in one key.
_TRACK_STEP = 1 << 32


@dataclass(eq=False, repr=False)
class LamTable:
    """The rows of a store's ``frames.parquet``, in its order: a track's frames follow each other.

    `LamTable.read` makes one of a store.

    Attributes:
        store_dir: the store's folder.
        tracks: as `gazepose.store.reading.read_frames` gives them; not kept.
        frame: (N,) frame numbers as annotated.
        track_index: (N,) position inside the track; every n-th is a keyframe.
        label: (N,): 1 looks at the camera, 0 does not, -1 unknown.
        offset: (N,) place of the image in its pack.
        num_bytes: (N,); 0 where there is no image.
        crc32: (N,) of the image's bytes.
        sharpness_p: (N,) Gaussian CDF of the sharpness, NaN where there is none.
        is_filtered: (N,): the published filter drops the frame as a keyframe.
        head_pose_deg: (N, 3) [yaw, pitch, roll], NaN where unknown; None if not read.
        landmarks: (N, 15) of `gazepose.priors.eye_centred`, NaN where not found; None if not read.
        track: (N,) int32 number of the track, ascending.
        track_starts: (T + 1,) int64: rows of track t are ``track_starts[t]:track_starts[t + 1]``.
        group_names: names of the packs.
    """

    store_dir: Path
    tracks: InitVar[pl.DataFrame]
    frame: npt.NDArray[np.int32]
    track_index: npt.NDArray[np.int32]
    label: npt.NDArray[np.int8]
    offset: npt.NDArray[np.int64]
    num_bytes: npt.NDArray[np.int32]
    crc32: npt.NDArray[np.uint32]
    sharpness_p: npt.NDArray[np.float64]
    is_filtered: Bools
    head_pose_deg: npt.NDArray[np.float64] | None = None
    landmarks: npt.NDArray[np.float32] | None = None

    def __post_init__(self, tracks: pl.DataFrame) -> None:
        self.track_starts = np.array([*tracks["start"], len(self.frame)], np.int64)
        lengths = np.diff(self.track_starts)
        self.track = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        self.group_names = list(dict.fromkeys(tracks["group_name"]))
        number_of = {name: number for number, name in enumerate(self.group_names)}
        self._group_of_track = np.array([number_of[n] for n in tracks["group_name"]], np.int32)
        self._part_of_track = np.array([PARTS.index(part) for part in tracks["part"]], np.int8)
        self._key = self.track * np.int64(_TRACK_STEP) + self.frame

    @classmethod
    def read(
        cls, store_dir: str | Path, *, head_pose: bool = False, landmarks: bool = False
    ) -> "LamTable":
        """Read a store's table; head poses take 24 bytes a frame, landmarks 60.

        Raises:
            EmptyStoreError: If there is no table, or no row in it.
            ValueError: If it is damaged or lacks a column; says what to type.
        """
        path = Path(store_dir) / FRAMES_FILE
        arrays, tracks = read_frames(path, head_pose=head_pose, landmarks=landmarks)
        return cls(Path(store_dir), tracks, **arrays)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def num_tracks(self) -> int:
        """Return the number of tracks."""
        return len(self.track_starts) - 1

    def group(self, rows: Rows) -> npt.NDArray[np.int32]:
        """Return the number of the pack of each row; `group_names` has its name."""
        return self._group_of_track[self.track[rows]]

    def parts(self, rows: Rows) -> list[LamPart]:
        """Return the part of each row."""
        return [PARTS[part] for part in self._part_of_track[self.track[rows]]]

    def with_parts(self, parts: npt.NDArray[np.int8]) -> "LamTable":
        """Return the table with other parts of its tracks (T,), places in `PARTS`."""
        other = copy.copy(self)
        other._part_of_track = parts
        return other

    def rows_of_part(self, part: LamPart) -> Rows:
        """Return all rows of a part, in order."""
        return np.flatnonzero((self._part_of_track == PARTS.index(part))[self.track])

    def find(self, tracks: Array, frames: Array) -> Rows:
        """Return the row of each frame number in its track; -1 where the track lacks it.

        Both may have any shape, that of the rows. Where the published rule kept a number twice it
        is the first row.
        """
        wanted = tracks.astype(np.int64) * _TRACK_STEP + frames
        rows = np.minimum(np.searchsorted(self._key, wanted), len(self) - 1)
        return np.where(self._key[rows] == wanted, rows, -1)

    def select(self, rows: Rows, columns: Sequence[str]) -> pl.DataFrame:
        """Fetch columns of ``frames.parquet`` for some rows, in any order, e.g. boxes for results.

        Not for loader workers: polars must not run in a forked process.

        Raises:
            ValueError: If the file is damaged.
        """
        frames = with_newer_columns(self._scan()).select(columns)
        if not len(rows):
            return frames.head(0).collect()
        first = int(rows.min())
        return frames.slice(first, int(rows.max()) + 1 - first).collect()[rows - first]

    def counts(self, column: str) -> dict[str, int]:
        """Return how often each value of a column of ``frames.parquet`` occurs, by value."""
        counted = self._scan().group_by(column).agg(pl.len()).collect()
        return dict(sorted((str(value), number) for value, number in counted.iter_rows()))

    def _scan(self) -> pl.LazyFrame:
        return scan_table(self.store_dir / FRAMES_FILE, REMEDY)

    def parts_sha256(self) -> str:
        """Hash which group is in which part; of groups in several, as photos have, each track."""
        parts = np.unique([self._group_of_track, self._part_of_track], axis=1)
        named = [(self.group_names[group], int(part)) for group, part in parts.T]
        is_mixed = np.bincount(parts[0], minlength=len(self.group_names)) > 1
        tracks = np.flatnonzero(is_mixed[self._group_of_track])
        ids = self.select(self.track_starts[tracks], ["track_id"])["track_id"].to_list()
        named += zip(ids, self._part_of_track[tracks].tolist(), strict=True)
        return hashlib.sha256(json.dumps(sorted(named)).encode()).hexdigest()

    def sha256(self) -> str:
        """Hash what decides which clips there are and what they hold, images by checksum."""
        digest = hashlib.sha256(json.dumps(self.group_names).encode())
        for values in (
            *(self.track_starts, self._group_of_track, self._part_of_track),
            *(self.frame, self.track_index, self.label, self.crc32),
            *(self.sharpness_p, self.is_filtered),
        ):
            digest.update(np.ascontiguousarray(values).data)
        return digest.hexdigest()
