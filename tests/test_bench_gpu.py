"""What the benchmark of a GPU measures, in its tiny form; not how fast anything is."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from builders.benchmarks import benchmark
from builders.small_training import one_thread

SKIPPED = "skipped, for lack of time"


def run(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *options: str
) -> tuple[int, dict[str, Any], str]:
    """Return the exit status of a tiny run, what it wrote as JSON and as Markdown."""
    path = folder / "result"
    bench_gpu = benchmark(monkeypatch, "bench_gpu")
    monkeypatch.setattr(bench_gpu.cv2, "setNumThreads", lambda _: None)
    fixed = ["--tiny", "--device", "cpu", "--workers", "0", "--out", str(path)]
    with one_thread():
        status = bench_gpu.main([*fixed, *options])
    return (
        status,
        json.loads(path.with_suffix(".json").read_text()),
        path.with_suffix(".md").read_text(),
    )


def test_everything_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, content, page = run(monkeypatch, tmp_path)
    assert (status, content["failed"], content[SKIPPED]) == (0, [], [])
    tables = content["tables"]
    models = {row["what"].split(",")[0] for row in tables["steps"]}
    expected = {"gazepose", "gazelstm", "gaze360", "flame", "flame_ao", "flame_af", "flame_b"}
    assert models == expected
    numbers = [
        value
        for rows in tables.values()
        for row in rows
        for name, value in row.items()
        if name not in ("what", "% waiting")
    ]
    assert all(math.isfinite(number) and number > 0 for number in numbers)
    assert all(0 <= row["% waiting"] < 100 for row in tables["loader"])
    # The share of the peak is that of the rate.
    peak = max(row["TFLOP/s"] for row in tables["matrix products"])
    for row in tables["steps"]:
        for step in ("train", "test"):
            share = row[f"{step} TFLOP/s"] / peak
            assert row[f"{step} % of peak"] == pytest.approx(100 * share)
    for name, rows in tables.items():
        assert f"## {name}\n" in page
        assert all(f"| {row['what']} |" in page for row in rows)


def test_what_there_is_no_time_for_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, content, page = run(monkeypatch, tmp_path, "--minutes", "0")
    assert (status, content["tables"]) == (0, {})
    assert "steps: flame, 2" in content[SKIPPED]
    assert "- steps: flame, 2\n" in page


def test_a_failure_is_said_and_costs_no_other_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result_tables = benchmark(monkeypatch, "result_tables")
    results = result_tables.ResultTables(tmp_path / "result", {"device": "none"}, math.inf)
    results.add(result_tables.Work("rows", "bad", 1, lambda: {"ms": 1 / 0}))
    results.add(result_tables.Work("rows", "good", 1, lambda: {"ms": 1234.5, "GiB": None}))
    assert results.failed == ["rows: bad: ZeroDivisionError: division by zero"]
    assert "| good | 1,234 |  |" in (tmp_path / "result.md").read_text()


def test_flame_trains_on_a_store_of_eyes_and_is_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = benchmark(monkeypatch, "portrait_stores")
    stores.write_gaze_store(tmp_path / "eyes", stores.render_faces(2, 64), 32)
    bench_gpu = benchmark(monkeypatch, "bench_gpu")
    bench = bench_gpu.Bench(bench_gpu.torch.device("cpu"), bench_gpu.TINY, [0], tmp_path)
    with one_thread():
        row = bench.eyes(tmp_path / "eyes", lambda: bench_gpu.EYES_REST_S + 2.0)
    assert row["last step"] > 0
    assert 0 < row["test error deg"] < 180
