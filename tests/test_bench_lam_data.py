"""What the benchmarks of the data module measure; not how fast or small anything is."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.benchmarks import BENCHMARKS_DIR, benchmark
from builders.small_training import one_thread

from common.media.image_codec import decode_image
from common.store.packs import Packs
from gazepose.store.table import LamTable


@pytest.mark.parametrize("writer", ["write_store", "write_one_image_store"])
def test_made_stores_hold_an_image_for_every_row(
    tmp_path: Path, writer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    getattr(benchmark(monkeypatch, "lam_store"), writer)(tmp_path, 4, 30)
    table = LamTable.read(tmp_path, head_pose=True, landmarks=True)
    assert (len(table), table.num_tracks) == (4 * 30, 4 * 3)
    assert [len(table.rows_of_part(part)) for part in ("train", "val")] == [90, 30]
    packs = Packs([tmp_path / "packs" / f"{name}.pack" for name in table.group_names])
    for row in (0, 59, 119):
        place = (int(table.offset[row]), int(table.num_bytes[row]), int(table.crc32[row]))
        (data,) = packs.read(int(table.group(np.array([row]))[0]), [place])
        assert data is not None
        assert decode_image(data).shape == (224, 224, 3)


def test_every_loader_is_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark(monkeypatch, "lam_store").write_store(tmp_path, 4, 24)
    bench_lam_loader = benchmark(monkeypatch, "bench_lam_loader")
    with one_thread():
        bench_lam_loader.main(["--store", str(tmp_path), "--passes", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert "7 frames" in lines[0]
    assert len(lines) == 2 + 2 * len(bench_lam_loader.LOADERS)
    assert all("clips/s" in line for line in lines[1:-1])
    assert lines[-1].startswith("checksums")


def test_memory_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Workers' memory needs more batches than a small store has."""
    code = (
        "from pathlib import Path; import lam_memory, lam_store; "
        "lam_memory.AFTER_BATCHES = (1, 2); "
        f"store = Path({str(tmp_path)!r}); lam_store.write_one_image_store(store, 4, 300); "
        "print(lam_memory.measured(store))"
    )
    run: Any = subprocess.run(
        [sys.executable, "-c", code],
        cwd=BENCHMARKS_DIR,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "1,200 frames" in run.stdout
    assert "bytes a frame: arrays" in run.stdout
    assert "after 2 batches" in run.stdout
