"""A worker of preprocessing holds no more after many videos than after a few."""

import sys
from pathlib import Path

import numpy as np
import pytest
from builders.cartoon_face import cartoon

from common.media.video_writer import write_video

BENCHMARKS_DIR = Path(__file__).parents[3] / "benchmarks"
NUM_CLIPS = 60
# A graph built anew for every clip took 20 MiB each; 5 to 18 in all are seen now.
ALLOWED_MIB = 40


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat_over_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS_DIR))
    from worker_memory import memory_by_clip

    face = cartoon(320)
    write_video(tmp_path / "clip.mp4", [np.roll(face, 2 * step, 1) for step in range(8)], 10.0)
    held_mib = memory_by_clip(tmp_path / "clip.mp4", NUM_CLIPS)
    assert held_mib[-1] - held_mib[4] < ALLOWED_MIB
