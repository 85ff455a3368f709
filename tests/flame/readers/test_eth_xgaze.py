"""ETH-XGaze's h5 files: order and signs of the angles, colours, damage."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.gazehub_tree import coloured

from common.geometry import gaze_vector, mirror_gaze
from common.store.skipped import Skipped
from flame.readers.eth_xgaze import EthXGazeReader
from flame.readers.sample import RawSample

h5py = pytest.importorskip("h5py")
GAZE = np.array([[0.3, 0.1], [0.3, -0.1], [-0.2, 0.4]], np.float32)  # [pitch, yaw]
HEAD = np.array([[0.2, 0.1], [0.0, -0.3], [0.1, 0.2]], np.float32)


def write_person(folder: Path, person: str = "subject0003", **changes: Any) -> Path:
    """Write a person's file; None leaves a field out."""
    patches = np.stack([coloured("p", number)[..., ::-1] for number in range(3)])  # BGR
    fields = {"face_patch": patches, "face_gaze": GAZE, "face_head_pose": HEAD} | changes
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / f"{person}.h5", "w") as file:
        for name, values in fields.items():
            if values is not None:
                file[name] = values
    return folder / f"{person}.h5"


def test_pitch_comes_first_and_yaw_is_to_the_images_left(tmp_path: Path) -> None:
    write_person(tmp_path / "train")
    reader = EthXGazeReader(tmp_path)
    assert reader.groups() == ["subject0003"]
    assert reader.count("subject0003") == 3
    found = [one for one in reader.read("subject0003") if isinstance(one, RawSample)]
    # The authors draw it so: dx = -L sin(yaw) cos(pitch), dy = -L sin(pitch), y down.
    for one, (pitch, yaw) in zip(found, GAZE.astype(float), strict=True):
        dx, dy = -np.sin(yaw) * np.cos(pitch), -np.sin(pitch)
        np.testing.assert_allclose(gaze_vector(one.gaze)[:2], [dx, -dy], atol=1e-9)
    np.testing.assert_allclose(found[1].gaze, mirror_gaze(found[0].gaze))
    np.testing.assert_allclose(
        [one.head_pose for one in found],
        np.column_stack([-HEAD[:, 0], -HEAD[:, 1], np.zeros(3)]),
        atol=1e-7,
    )
    assert (reader.gaze_frame, reader.gaze_convention) == ("normalised", "face_centre_to_target")


def test_images_are_rgb(tmp_path: Path) -> None:
    write_person(tmp_path)
    for number, one in enumerate(EthXGazeReader(tmp_path).read("subject0003")):
        assert isinstance(one, RawSample)
        np.testing.assert_array_equal(one.image, coloured("p", number))


def test_a_row_that_is_no_number_costs_itself(tmp_path: Path) -> None:
    gaze = GAZE.copy()
    gaze[1, 0] = np.nan
    write_person(tmp_path, face_gaze=gaze)
    found = list(EthXGazeReader(tmp_path).read("subject0003"))
    assert [isinstance(one, Skipped) for one in found] == [False, True, False]


def test_an_image_that_is_none_costs_itself(tmp_path: Path) -> None:
    path = write_person(tmp_path, face_patch=None)
    with h5py.File(path, "a") as file:
        patches = file.create_dataset(
            "face_patch", (3, 64, 64, 3), "u1", chunks=(1, 64, 64, 3), compression="gzip"
        )
        patches[:] = np.random.default_rng(0).integers(0, 256, patches.shape, np.uint8)
        damaged = patches.id.get_chunk_info(1).byte_offset
    content = bytearray(path.read_bytes())
    content[damaged : damaged + 100] = bytes(100)
    path.write_bytes(content)
    found = list(EthXGazeReader(tmp_path).read("subject0003"))
    assert [isinstance(one, Skipped) for one in found] == [False, True, False]
    assert "damaged image" in found[1].reason  # type: ignore[union-attr]
    write_person(tmp_path, face_patch=np.zeros((3, 64, 64, 3), np.float32))
    reasons = {getattr(one, "reason", "") for one in EthXGazeReader(tmp_path).read("subject0003")}
    assert reasons == {"no image: float32 (64, 64, 3)"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"face_gaze": None}, r"subject0003\.h5.*face_gaze"),
        ({"face_gaze": GAZE[:2]}, r"subject0003\.h5.*\(2, 2\)"),
        ({"face_gaze": np.zeros((3, 4), np.float32)}, r"\(3, 4\).*\(N, 2\)"),
        ({"face_gaze": np.float32(3)}, r"subject0003\.h5"),
        ({"face_patch": np.zeros((3, 4, 4), np.uint8)}, r"\(4, 4\).*\(H, W, 3\)"),
    ],
)
def test_a_file_that_cannot_be_paired_is_refused(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    write_person(tmp_path, **changes)
    with pytest.raises(ValueError, match=said):
        list(EthXGazeReader(tmp_path).read("subject0003"))


def test_a_damaged_file_counts_nothing_and_says_so_when_read(tmp_path: Path) -> None:
    path = write_person(tmp_path)
    path.write_bytes(path.read_bytes()[:100])
    reader = EthXGazeReader(tmp_path)
    assert reader.count("subject0003") == 0
    with pytest.raises(ValueError, match=r"subject0003\.h5"):
        list(reader.read("subject0003"))


def test_a_folder_without_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"subject0000\.h5.*xgaze_224"):
        EthXGazeReader(tmp_path).groups()


def test_without_h5py_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ValueError, match=r"pip install -e '.\[h5\]'"):
        EthXGazeReader(tmp_path)


def test_a_file_that_claims_more_than_it_holds_takes_no_memory(tmp_path: Path) -> None:
    path = write_person(tmp_path, face_gaze=None, face_head_pose=None, face_patch=None)
    with h5py.File(path, "a") as file:
        for name, shape in {
            "face_patch": (10**9, 9, 9, 3),
            "face_gaze": (10**9, 2),
            "face_head_pose": (10**9, 2),
        }.items():
            chunks = (1, *shape[1:])
            file.create_dataset(name, shape, "f4" if len(shape) == 2 else "u1", chunks=chunks)
    reader = EthXGazeReader(tmp_path)
    assert reader.count("subject0003") == 0
    with pytest.raises(ValueError, match=r"subject0003\.h5"):
        list(reader.read("subject0003"))
