"""ETH-XGaze's normalised faces as downloaded: ``train/subject0000.h5``, a file a person.

``face_patch`` (N, H, W, 3) uint8 BGR, ``face_gaze`` and ``face_head_pose`` (N, 2) [pitch, yaw] in
radians, + up and + to the image's left (Zhang et al., "ETH-XGaze", ECCV 2020). The test people's
files have no gaze and are not read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from common.arrays import Float
from common.config.optional_packages import optional
from common.faces.normalisation import virtual_camera
from common.media.pixels import MAX_PIXELS
from common.store.skipped import Skipped
from flame.readers.sample import RawReader, RawSample

# All of ETH-XGaze has fewer.
_MOST_ROWS = 2_000_000
_TOLD = "ETH-XGaze's files are HDF5, which h5py reads: type pip install -e '.[h5]'"
_NEEDED = ("face_patch", "face_gaze", "face_head_pose")


class EthXGazeReader(RawReader):
    """Reads the people of ETH-XGaze whose gaze is published; a group is a person.

    Args:
        raw_dir: holds ``train/subject*.h5``, or the files themselves.

    Raises:
        ValueError: If h5py is not installed.
    """

    name = "eth_xgaze"
    gaze_convention = "face_centre_to_target"
    gaze_frame = "normalised"

    def __init__(self, raw_dir: str | Path) -> None:
        optional("h5py", _TOLD)
        raw_dir = Path(raw_dir)
        self._folder = raw_dir / "train" if (raw_dir / "train").is_dir() else raw_dir

    def groups(self) -> list[str]:
        """Return the people, sorted.

        Raises:
            ValueError: If there are none.
        """
        people = sorted(path.stem for path in self._folder.glob("subject*.h5"))
        if not people:
            raise ValueError(
                f"{self._folder} holds no subject0000.h5 and so on: give the folder of ETH-XGaze's "
                "normalised data (xgaze_224) as data.raw_dir=..."
            )
        return people

    def count(self, group: str) -> int:
        """Return how many faces a person has; 0 if the file cannot be read."""
        try:
            with self._open(group) as file:
                return int(_arrays(file)["face_patch"].shape[0])
        except ValueError:
            return 0

    def read(self, group: str) -> Iterator[RawSample | Skipped]:
        """Yield a person's faces in order.

        Raises:
            ValueError: If the file is damaged, has no gaze, or not one a face.
        """
        with self._open(group) as file:
            arrays = _arrays(file)
            gaze, head = arrays["face_gaze"][:], arrays["face_head_pose"][:]
            for row in range(len(gaze)):
                yield _sample(group, row, arrays["face_patch"], gaze[row], head[row])

    @contextmanager
    def _open(self, group: str) -> Iterator[Any]:
        """Yield a person's file; what is wrong with it is a ValueError that names it."""
        try:
            with optional("h5py", _TOLD).File(self._folder / f"{group}.h5", "r") as file:
                yield file
        # What HDF5 and h5py raise depends on where the damage is.
        except Exception as error:
            raise ValueError(f"{group}.h5: {error}") from error


def _arrays(file: Any) -> dict[str, Any]:
    """Return the arrays of a person's file, of which nothing but the shapes was read.

    Raises:
        ValueError: If one is missing or has another shape.
    """
    arrays = {name: file.get(name) for name in _NEEDED}
    missing = [name for name, array in arrays.items() if not hasattr(array, "shape")]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    shapes = {name: array.shape for name, array in arrays.items()}
    if len({shape[:1] for shape in shapes.values()}) > 1 or () in shapes.values():
        raise ValueError(f"it has unequal numbers of rows: {shapes}")
    num_rows, *patch = shapes["face_patch"]
    if any(shapes[name][1:] != (2,) for name in _NEEDED[1:]) or num_rows > _MOST_ROWS:
        raise ValueError(f"its arrays have shapes {shapes}, expected (N, 2) of angles")
    if len(patch) != 3 or patch[2] != 3 or patch[0] * patch[1] > MAX_PIXELS:
        raise ValueError(f"its faces have shape {tuple(patch)}, expected (H, W, 3)")
    return arrays


def _sample(group: str, row: int, patches: Any, gaze: Float, head: Float) -> RawSample | Skipped:
    sample_id = f"{group}_{row:06d}"
    if gaze.dtype.kind != "f" or head.dtype.kind != "f" or not np.isfinite([*gaze, *head]).all():
        return Skipped(sample_id, group, group, "gaze or head pose is not finite")
    try:
        patch = patches[row]
    # Of compressed images, what is raised depends on where the damage is.
    except Exception as error:
        return Skipped(sample_id, group, group, f"damaged image: {error}")
    if patch.ndim != 3 or patch.shape[2] != 3 or patch.dtype != np.uint8:
        return Skipped(sample_id, group, group, f"no image: {patch.dtype} {patch.shape}")
    height, width = patch.shape[:2]
    (pitch, yaw), (head_up, head_yaw) = gaze.astype(np.float64), head.astype(np.float64)
    return RawSample(
        sample_id=sample_id,
        subject=group,
        group=group,
        index=row,
        image=np.ascontiguousarray(patch[..., ::-1]),
        gaze=np.array([-yaw, pitch]),
        # A normalised face is rolled as the head is: no roll is left.
        head_pose=np.array([-head_up, -head_yaw, 0.0]),
        camera_matrix=virtual_camera(width),
        face_hint_px=np.array([width / 2, height / 2]),
    )
