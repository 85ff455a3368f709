"""Which frames make a clip, and which frames are the middle of one."""

from pathlib import Path

import numpy as np
import pytest
from builders.small_lam import finish_store, small_row, write_clip

from gazepose.data.windows import class_weights, keyframes, window_rows
from gazepose.store.table import LamTable

FRAMES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 30, 31, 32, 33]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> LamTable:
    """Two tracks of the same frame numbers, with a gap; two frames have no image."""
    folder = tmp_path_factory.mktemp("windows") / "store"
    generator = np.random.default_rng(0)
    rows = [
        small_row(
            generator,
            "train",
            f"track{track}",
            frame,
            index,
            image=index not in (3, 6),
            is_filtered=index % 6 == 0,
            label=int(track == 0),
        )
        for track in range(2)
        for index, frame in enumerate(FRAMES)
    ]
    write_clip(folder, "a", rows)
    finish_store(folder)
    return LamTable.read(folder)


def test_windows_hold_the_exact_frame_numbers_of_the_track(table: LamTable) -> None:
    rows = np.arange(len(table))
    for row, window in zip(rows, window_rows(table, rows), strict=True):
        track, frame = divmod(int(row), len(FRAMES))
        wanted = range(FRAMES[frame] - 3, FRAMES[frame] + 4)
        assert window.tolist() == [
            FRAMES.index(number) + track * len(FRAMES) if number in FRAMES else -1
            for number in wanted
        ]


def test_windows_do_not_depend_on_which_others_are_asked_for(table: LamTable) -> None:
    rows = np.random.default_rng(1).permutation(len(table))
    together = window_rows(table, rows)
    one_by_one = [window_rows(table, rows[i : i + 1])[0] for i in range(len(rows))]
    np.testing.assert_array_equal(together, one_by_one)
    assert window_rows(table, rows[:0]).shape == (0, 7)


@pytest.mark.parametrize("stride", [1, 3, 100])
def test_keyframes_count_positions_in_the_track(table: LamTable, stride: int) -> None:
    positions = [i for i in range(0, len(FRAMES), stride) if i not in (3, 6)]
    wanted = [position + track * len(FRAMES) for track in range(2) for position in positions]
    assert keyframes(table, "train", stride, use_filter=False).tolist() == wanted
    kept = [row for row in wanted if row % len(FRAMES) % 6]
    assert keyframes(table, "train", stride, use_filter=True).tolist() == kept


@pytest.mark.parametrize("part", ["val", "test"])
def test_samples_of_the_challenge_stay_without_an_image(part: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = [
        small_row(generator, part, "track0", i, i, image=i not in (1, 2, 4), unique_id=unique)
        for i, unique in enumerate(["a", "b", "", "d", "e"])
    ]
    write_clip(tmp_path, "a", rows)
    finish_store(tmp_path)
    table = LamTable.read(tmp_path)
    expected = {"val": ([0, 3], [0]), "test": ([0, 1, 3, 4], [0, 4])}[part]
    for stride, wanted in zip((1, 2), expected, strict=True):
        assert keyframes(table, part, stride, use_filter=False).tolist() == wanted  # type: ignore[arg-type]


def test_a_part_without_rows_has_no_keyframe(table: LamTable) -> None:
    assert keyframes(table, "val", 1, use_filter=False).tolist() == []


def test_a_stride_below_one_is_refused(table: LamTable) -> None:
    with pytest.raises(ValueError, match=r"stride.* 0.* 1"):
        keyframes(table, "train", 0, use_filter=False)


def test_the_class_that_is_rare_weighs_more() -> None:
    assert class_weights(np.array([0, 0, 0, 1], np.int8)) == (0.25, 0.75)
    assert class_weights(np.array([0, 1], np.int8)) == (0.5, 0.5)
