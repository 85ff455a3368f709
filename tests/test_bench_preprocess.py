"""What the preprocessing benchmark asks for; not how fast anything is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.benchmarks import benchmark

from common.media.video_writer import write_video


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    return benchmark(monkeypatch, "bench_preprocess")


def test_a_missing_folder_says_how_to_make_one(
    bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--raw-dir", str(tmp_path / "none")])
    assert "python preprocess.py data=demo_lam" in capsys.readouterr().err


def test_a_video_without_faces_says_so(bench: Any, tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    write_video(path, (np.zeros((96, 96, 3), np.uint8) for _ in range(5)), 30.0)
    with pytest.raises(SystemExit, match=r"empty\.mp4"):
        bench.main(["--video", str(path)])


def test_times_are_those_of_one_item(bench: Any) -> None:
    seen: list[int] = []
    assert bench._best_ms(seen.append, [1, 2, 3]) >= 0
    assert seen == [1, *[1, 2, 3] * bench.ROUNDS]
