"""How fast heatmaps and a training step are, against the original's way of doing them.

    python benchmarks/bench_flame.py
    python benchmarks/bench_flame.py --threads 2 --num-pairs 5

Heatmaps: one sample of a batch against one scipy density per landmark on the whole frame, which
the original stores on disk. Training step: FLAME against the same net whose MMTM assigns channel
by channel; the two are interleaved, the ratio is the median over pairs.

Peak memory: of a process of its own that takes two training steps of FLAME with Adam, so its
moments count; given besides is what that process holds before, with torch and scipy loaded.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
from peak_memory import peak_memory_mib
from scipy.stats import multivariate_normal
from torch import Tensor, nn
from tqdm import tqdm

from flame import render_heatmaps
from flame.nets.flame import Flame
from flame.nets.parts import MMTM
from flame.training.losses import VectorDifferenceLoss

FRAME_HEIGHT, FRAME_WIDTH = 450, 384
# The original's own get_2d_heatmap on that frame: median of 3 on one core of an AMD EPYC.
ORIGINAL_HEATMAP_S = 0.555
Row = tuple[str, str, str]


class LoopMMTM(MMTM):
    """The original's MMTM: one assignment a sample and channel."""

    def forward(self, rgb: Tensor, heatmap: Tensor) -> tuple[Tensor, Tensor]:
        """Gate two streams (B, C, H, W)."""
        summary = self.squeeze(torch.cat([rgb.mean((2, 3)), heatmap.mean((2, 3))], dim=1))
        gates = [torch.sigmoid(gate(summary)) for gate in (self.rgb_gate, self.heatmap_gate)]
        # The copy is what lets the original's loop train under torch >= 1.10.
        streams = rgb.clone(), heatmap.clone()
        for stream, gate in zip(streams, gates, strict=True):
            for i in range(stream.shape[0]):
                for channel in range(stream.shape[1]):
                    stream[i, channel] = 2 * stream[i, channel] * gate[i, channel]
        return streams


def with_loop(net: Flame) -> Flame:
    """Return a copy of a net, weights included, whose MMTM blocks loop."""
    net = copy.deepcopy(net)
    for mmtm in (net.mmtm1, net.mmtm2):
        mmtm.__class__ = LoopMMTM
    return net


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_seconds(work: Callable[[], object], num_repeats: int) -> float:
    """Return the median time of a call, after one that does not count."""
    work()
    return statistics.median(seconds(work) for _ in range(num_repeats))


def scipy_heatmap(landmarks: np.ndarray) -> np.ndarray:
    """The original's heatmap (FRAME_HEIGHT, FRAME_WIDTH, 28) of landmarks (112,)."""
    points = landmarks.reshape(2, 56).T
    pixels = np.stack(np.meshgrid(np.arange(FRAME_WIDTH), np.arange(FRAME_HEIGHT)), -1)
    densities = [multivariate_normal(point, np.eye(2)).pdf(pixels) for point in points]
    return np.stack([densities[i] + densities[28 + i] for i in range(28)], -1)


def bench_heatmaps(batch_size: int) -> list[Row]:
    """Time heatmaps per sample; checks that both ways draw the same."""
    rng = np.random.default_rng(0)
    landmarks = np.concatenate([rng.uniform(140, 240, 56), rng.uniform(180, 260, 56)])
    full = torch.from_numpy(landmarks)[None]
    ours = render_heatmaps(full, FRAME_HEIGHT, FRAME_WIDTH)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, scipy_heatmap(landmarks), atol=1e-14)

    reference = median_seconds(lambda: scipy_heatmap(landmarks), 3)
    crops = torch.from_numpy(rng.uniform(0, 120, (batch_size, 112))).float()
    crop = median_seconds(lambda: render_heatmaps(crops), 100) / batch_size
    frame = median_seconds(lambda: render_heatmaps(full, FRAME_HEIGHT, FRAME_WIDTH), 20)
    size = f"{FRAME_WIDTH} x {FRAME_HEIGHT}"
    recorded = f"{1e3 * ORIGINAL_HEATMAP_S:.0f} ms"
    return [
        (f"heatmap, scipy, {size}, float64", f"{1e3 * reference:.0f} ms", ""),
        (f"heatmap, ours, {size}, float64", f"{1e3 * frame:.1f} ms", f"{reference / frame:.0f}x"),
        (
            f"heatmap, ours, 120 x 120 crop, float32, a sample of a batch of {batch_size}",
            f"{1e3 * crop:.3f} ms",
            f"{reference / crop:.0f}x",
        ),
        (
            f"the same, against the original as recorded ({recorded})",
            f"{1e3 * crop:.3f} ms",
            f"{ORIGINAL_HEATMAP_S / crop:.0f}x",
        ),
    ]


def train_step(net: nn.Module, inputs: list[Tensor], target: Tensor) -> None:
    """Run forward and backward; the optimizer's step is the same for both nets."""
    net.zero_grad()
    VectorDifferenceLoss()(net(*inputs), target).backward()


def random_batch(batch_size: int) -> tuple[list[Tensor], Tensor]:
    """Return noise as the net's inputs and target."""
    shapes = [(batch_size, 3, 120, 120), (batch_size, 28, 120, 120), (batch_size, 3)]
    return [torch.rand(shape) for shape in shapes], torch.rand(batch_size, 2)


def training_memory_mib(batch_size: int, threads: int, width: int = 64) -> tuple[float, float]:
    """Return this process's peak memory before and after two steps of training with Adam."""
    torch.set_num_threads(threads)
    before = peak_memory_mib()
    net = Flame(width=width).train()
    optimizer = torch.optim.Adam(net.parameters())
    for _ in range(2):
        train_step(net, *random_batch(batch_size))
        optimizer.step()
    return before, peak_memory_mib()


def bench_memory(batch_size: int, threads: int) -> list[Row]:
    """Measure the memory of training, in a new process: this one has held more."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        before, peak = process.submit(training_memory_mib, batch_size, threads).result()
    what = f"peak memory of a process that trains ours with Adam, batch {batch_size}"
    return [(what, f"{peak:.0f} MiB", f"{before:.0f} MiB before the net")]


def bench_training(batch_size: int, num_pairs: int) -> list[Row]:
    """Time forward + backward of FLAME and of its looping twin, in turns."""
    torch.manual_seed(0)
    net = Flame().train()
    inputs, target = random_batch(batch_size)
    twin = with_loop(net)
    torch.testing.assert_close(twin.eval()(*inputs), net.eval()(*inputs))
    net.train(), twin.train()
    for warm in (net, twin):
        train_step(warm, inputs, target)
    pairs = [
        (
            seconds(lambda: train_step(net, inputs, target)),
            seconds(lambda: train_step(twin, inputs, target)),
        )
        for _ in tqdm(range(num_pairs), desc="train steps", leave=False)
    ]
    ours, loop = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = sorted(loop / ours for ours, loop in pairs)
    spread = f"{statistics.median(ratios):.2f}x ({ratios[0]:.2f}-{ratios[-1]:.2f})"
    return [
        (f"forward + backward, MMTM in a loop, batch {batch_size}", f"{loop:.2f} s", ""),
        (f"forward + backward, ours, batch {batch_size}", f"{ours:.2f} s", spread),
    ]


def print_table(rows: list[Row]) -> None:
    """Print rows as a Markdown table."""
    rows = [("what", "measured", "faster by, or note"), *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    rows.insert(1, ("-" * widths[0], "-" * widths[1], "-" * widths[2]))
    for row in rows:
        print(
            "| "
            + " | ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            + " |"
        )


def main() -> None:
    """Run everything and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--num-pairs", type=int, default=7, help="interleaved pairs of train steps")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    # The first large block that is freed makes glibc keep such blocks, as in a training process.
    torch.zeros(7_500_000)
    rows = bench_heatmaps(args.batch_size) + bench_training(args.batch_size, args.num_pairs)
    rows += bench_memory(args.batch_size, args.threads)
    print(f"torch {torch.__version__}, {args.threads} thread(s)")
    print_table(rows)


if __name__ == "__main__":
    main()
