"""How much of a GPU the suite uses: one command, at most 8 minutes.

    python benchmarks/bench_gpu.py                             # bench_gpu.md, bench_gpu.json
    python benchmarks/bench_gpu.py --eyes data/stores/columbia_eyes    # and trains FLAME
    python benchmarks/bench_gpu.py --tiny                      # does it run? On a CPU, too

Measured is bf16 as `trainer.precision=bf16-mixed` has it, on the suite's own modules, built from
their configs; the settings that a row names are what a user types.

- Matrix products: the fastest of some large ones in bf16 is the card's peak.
- Steps: of training (forward, loss, backward, Adam) and of a test, on a batch that lies on the
  device. FLOPs are those of convolutions, matrix products and attention (`FlopCounterMode`;
  cuDNN's LSTM, 0.2 % of a clip, is not counted). Memory is the most that PyTorch had in use.
- Loader: steps of training fed by the real loader, from a small store of invented people, against
  steps on one of its batches; the share of the time that is more is waiting, with what is done
  to a batch on its way (transfer, looks given by the device). With the settings that should be
  fastest: channels last, fused Adam, the fastest of cuDNN's ways.
- Heatmaps, and tests of tracks in overlapping clips, in which each frame is looked at once.
- Steps under `torch.compile`, which takes a minute to start.
- `--eyes`: FLAME by the published recipe, in bf16, for a third of the time; then its test.

A time is the median of five rounds after a warm-up; the device is waited for before and after a
round, not between its calls. What there is no time for, or what fails, is listed.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import polars as pl
import torch
from gpu_cases import (
    CHANNELS_LAST,
    COMPILED,
    DATA,
    FAST,
    TINY,
    Batch,
    Case,
    Sizes,
    Trained,
    composed,
)
from portrait_stores import render_faces, write_gaze_store, write_lam_store
from result_tables import ResultTables, Row, Work
from tqdm import tqdm

from common.runs.run import fit_and_test
from flame.nets.heatmaps import render_heatmaps

# Of a training on real eyes: its part of the time, and what of that its start and its test take.
EYES_SHARE, EYES_REST_S = 1 / 3, 30


class Bench:
    """What is measured, on one device.

    Args:
        device: where.
        sizes: how large.
        workers: of the loaders; the last number is that of all cores.
        folder: of stores and a run.
    """

    def __init__(
        self, device: torch.device, sizes: Sizes, workers: list[int], folder: Path
    ) -> None:
        self.device, self.sizes, self.workers, self.folder = device, sizes, workers, folder
        self._peak_tflops = 0.0
        self._flops: dict[tuple[str, int], tuple[float, float]] = {}

    def works(self) -> Iterator[Work]:
        """Yield what is to be measured, in order."""
        batches, most = self.sizes.batches, self.workers[-1]
        large = {model: sizes[-1] for model, sizes in batches.items()}
        for side in self.sizes.peak:
            yield Work("matrix products", f"{side} x {side}", 5, partial(self.peak, side))
        yield Work("stores", "invented people", 20, self.stores)
        cases = [Case(model, size) for model, sizes in batches.items() for size in sizes]
        cases += [Case(f"flame_{join}", large["flame"]) for join in ("ao", "af", "b")]
        for switch in self.sizes.switches:
            cases += [Case(model, large[model], switch) for model in ("gazepose", "flame")]
        for case in cases:
            yield Work("steps", case.title, 6, partial(self.steps, case))
        plain, *looks = self.sizes.looks
        fed = [("gazepose", batches["gazepose"][0], plain, num) for num in self.workers]
        fed += [("gazepose", batches["gazepose"][0], look, most) for look in looks]
        fed += [("gaze360", batches["gaze360"][0], plain, most)]
        fed += [("flame", size, plain, most) for size in batches["flame"]]
        for model, size, look, num in fed:
            case = Case(model, size, (*look, f"data.datamodule.num_workers={num}"))
            yield Work("loader", case.title, 12, partial(self.waiting, case, num))
        name = f"{self.sizes.heatmaps} samples of 28 x 120 x 120"
        yield Work("heatmaps", name, 3, self.heatmaps)
        for model in ("gazepose", "gazelstm"):
            name = f"{model}, {most} workers"
            yield Work("overlapping clips", name, 20, partial(self.overlapping, model))
        for model in self.sizes.compiled:
            case = Case(model, large[model], (*FAST, COMPILED))
            yield Work("steps, compiled", case.title, 75, partial(self.steps, case))

    def peak(self, side: int) -> Row:
        """Measure a product of square matrices."""
        a, b = (torch.randn(side, side, device=self.device, dtype=torch.bfloat16) for _ in "ab")
        tflops = 2 * side**3 / self.seconds(lambda: a @ b) / 1e12
        self._peak_tflops = max(self._peak_tflops, tflops)
        return {"TFLOP/s": tflops}

    def stores(self) -> Row:
        """Draw people and write the stores."""
        start = time.perf_counter()
        faces = render_faces(*self.sizes.faces)
        write_lam_store(self.folder / "lam", faces, *self.sizes.lam)
        write_gaze_store(self.folder / "gaze", faces, self.sizes.gaze_rows)
        return {"s": time.perf_counter() - start}

    def steps(self, case: Case) -> Row:
        """Measure a step of training, and one of a test, on a batch that is there."""
        trained = self.trained(case)
        batch = trained.sent(next(iter(trained.data.train_dataloader())))
        # Compiled, kernels run that nobody counts.
        is_compiled, key = COMPILED in case.settings, (case.model, case.batch_size)
        if not is_compiled and key not in self._flops:
            self._flops[key] = trained.flops(batch)
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        start = time.perf_counter()
        trained.train(batch)
        self._synchronise()
        row: Row = {"first step s": time.perf_counter() - start}
        row |= self._step("train", case, partial(trained.train, batch))
        if self.device.type == "cuda":
            row["train GiB"] = torch.cuda.max_memory_allocated() / 2**30
        return row if is_compiled else row | self._step("test", case, partial(trained.test, batch))

    def _step(self, name: str, case: Case, call: Callable[[], None]) -> Row:
        step_s = self.seconds(call)
        row: Row = {f"{name} ms": 1e3 * step_s, f"{name} samples/s": case.batch_size / step_s}
        counted = self._flops.get((case.model, case.batch_size))
        if counted:
            tflops = counted[name == "test"] / step_s / 1e12
            row[f"{name} TFLOP/s"] = tflops
            row[f"{name} % of peak"] = 100 * tflops / self._peak_tflops
        return row

    def waiting(self, case: Case, num_workers: int) -> Row:
        """Measure steps of training fed by the loader, against steps on one of its batches."""
        trained = self.trained(case, *FAST)
        batches = endless(trained.data)
        resident = trained.sent(next(batches))
        resident_s = self.seconds(lambda: trained.train(resident))
        # First what workers had ready meanwhile; a longer round, as they hand over in bursts.
        fed_s = self.seconds(
            lambda: trained.train(trained.sent(next(batches))),
            warm_up=3 * num_workers + 3,
            round_s=4 * self.sizes.round_s,
        )
        return {
            "ms on one batch": 1e3 * resident_s,
            "ms from the loader": 1e3 * fed_s,
            "samples/s": case.batch_size / fed_s,
            "% waiting": 100 * max(0.0, 1 - resident_s / fed_s),
        }

    def heatmaps(self) -> Row:
        """Measure the rendering of heatmaps."""
        num = self.sizes.heatmaps
        landmarks = 120 * torch.rand(num, 112, device=self.device)
        batch_s = self.seconds(lambda: render_heatmaps(landmarks))
        return {"ms": 1e3 * batch_s, "samples/s": num / batch_s}

    def overlapping(self, model: str) -> Row:
        """Measure the test of tracks: on a stretch that is there, and all of them by the loader."""
        workers = f"data.datamodule.num_workers={self.workers[-1]}"
        trained = self.trained(Case(model, 2, (CHANNELS_LAST,)), workers)
        stretch = trained.sent(next(iter(trained.data.test_dataloader())))
        resident_s = self.seconds(lambda: trained.test(stretch)) / len(stretch["row"])

        def whole() -> None:
            for batch in trained.data.test_dataloader():
                trained.test(trained.sent(batch))

        fed_s = self.seconds(whole, warm_up=1) / len(trained.data.test_rows())
        return {"scores/s on one stretch": 1 / resident_s, "scores/s from the loader": 1 / fed_s}

    def eyes(self, store_dir: Path, left_s: Callable[[], float]) -> Row:
        """Train FLAME on real eyes by the published recipe while there is time, and test it."""
        start, run_dir = time.perf_counter(), self.folder / "run"
        config = composed(
            *("model=flame", "data=columbia_eyes", f"data.store_dir={store_dir}"),
            *(f"paths.run_dir={run_dir}", f"data.datamodule.num_workers={self.workers[-1]}"),
            *("trainer.precision=bf16-mixed", "trainer.enable_progress_bar=false"),
            f"trainer.accelerator={self.device.type}",
            f"+trainer.max_time={{seconds:{max(1, round(left_s() - EYES_REST_S))}}}",
            *self.sizes.overrides.get("flame", []),
        )
        metrics = fit_and_test(config, {}, run_dir)
        (path,) = run_dir.rglob("metrics.csv")
        curves = pl.read_csv(path, infer_schema_length=None)
        return {
            **{f"last {name}": int(curves[name].max()) for name in ("epoch", "step")},  # type: ignore[arg-type]
            "best val error deg": metrics.get("best_val/angular_error_deg"),
            "test error deg": metrics["test/angular_error_deg"],
            "s, test included": time.perf_counter() - start,
        }

    def trained(self, case: Case, *settings: str) -> Trained:
        """Return a case's model, ready to be trained."""
        store, data = DATA[case.family]
        config = composed(
            *(f"model={case.model}", *data, "data.datamodule.num_workers=0"),
            *(*case.settings, *settings, f"data.store_dir={self.folder / store}"),
            f"data.datamodule.batch_size={case.batch_size}",
            *self.sizes.overrides.get(case.family, []),
        )
        return Trained(config, self.device)

    def seconds(
        self, call: Callable[[], object], *, warm_up: int = 3, round_s: float | None = None
    ) -> float:
        """Return the median time of a call over rounds of calls."""
        for _ in range(warm_up):
            call()
        round_s = self.sizes.round_s if round_s is None else round_s
        num = max(1, round(round_s / self._round(call, 1)))
        return statistics.median(self._round(call, num) for _ in range(self.sizes.rounds))

    def _round(self, call: Callable[[], object], num: int) -> float:
        self._synchronise()
        start = time.perf_counter()
        for _ in range(num):
            call()
        self._synchronise()
        return (time.perf_counter() - start) / num

    def _synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def endless(data: Any) -> Iterator[Batch]:
    """Yield the training batches of one epoch after another."""
    loader = data.train_dataloader()
    for _ in count():
        yield from loader


def machine(device: torch.device) -> Row:
    """Return what the numbers are of."""
    said: Row = {"torch": torch.__version__, "cores": os.cpu_count()}
    if device.type != "cuda":
        return {"device": platform.machine(), **said}
    memory_gib = torch.cuda.get_device_properties(device).total_memory / 2**30
    said |= {"CUDA": torch.version.cuda, "cuDNN": torch.backends.cudnn.version()}
    return {"device": torch.cuda.get_device_name(device), "GiB": round(memory_gib), **said}


def main(given: list[str] | None = None) -> int:
    """Measure, write and print; return 1 if something failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    default = "cuda" if torch.cuda.is_available() else "cpu"
    cores = max(2, os.cpu_count() or 2)
    parser.add_argument("--device", default=default, help="cuda or cpu")
    parser.add_argument("--minutes", type=float, default=7.5, help="for all but the imports")
    parser.add_argument("--eyes", type=Path, metavar="STORE", help="a store of data=columbia_eyes")
    parser.add_argument("--workers", type=int, nargs="+", default=[2, cores], help="of the loaders")
    parser.add_argument("--tiny", action="store_true", help="narrow nets, each called a few times")
    parser.add_argument("--out", type=Path, default=Path("bench_gpu"), help="without suffix")
    args = parser.parse_args(given)
    if args.device == "cpu" and not args.tiny:
        parser.error("there is no GPU that PyTorch sees: --tiny tries it on the CPU")
    if args.eyes and not args.eyes.is_dir():
        parser.error(
            f"no store {args.eyes}: type python preprocess.py data=columbia_eyes data.raw_dir=CROPS"
        )
    # What draws the people would use OpenCV's threads, and loader processes would wait for them.
    cv2.setNumThreads(1)
    # Steps without a trainer have nothing to log to.
    warnings.filterwarnings("ignore", r".*trainer.* reference is not registered")
    start_s, all_s = time.perf_counter(), 60 * args.minutes
    eyes_s = EYES_SHARE * all_s if args.eyes else 0
    device, sizes = torch.device(args.device), TINY if args.tiny else Sizes()
    results = ResultTables(args.out, machine(device), start_s + all_s - eyes_s)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(device, sizes, args.workers, Path(folder))
        for work in tqdm(list(bench.works()), leave=False):
            results.add(work)
            torch.cuda.empty_cache()
        if args.eyes:
            results.end_s = start_s + all_s
            measure = partial(bench.eyes, args.eyes, lambda: results.left_s)
            results.add(Work("real eyes", "flame, as published", EYES_REST_S + 10, measure))
    print(results.markdown())
    return int(bool(results.failed))


if __name__ == "__main__":
    raise SystemExit(main())
