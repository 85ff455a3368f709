"""Dense inference against clip by clip, and the time of a training step.

    python benchmarks/bench_lam_nets.py
    python benchmarks/bench_lam_nets.py --num-frames 300 --num-clips 30 --device cuda

Inference: every frame of one track is scored densely, each frame looked at once; clip by clip is
timed on clips spread over the same track, half of them before and half of them after the dense
run, and counted up to the whole track. Both give the same scores. Given is processor time (on a
GPU: wall time), which another busy process disturbs less than wall time.

Training step: forward, weighted cross entropy, backward and Adam, on noise.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from bench_flame import Row, print_table
from torch import Tensor
from tqdm import tqdm

from gazepose.nets.backbones import resnet18
from gazepose.nets.dense import dense_scores
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.nets.gazepose import GazePose
from gazepose.nets.parts import ClipNet
from gazepose.nets.pixels import normalise
from gazepose.training.losses import WeightedCrossEntropy

# User CPU of the originals, one thread of an AMD EPYC: seconds a clip, seconds a step of four.
ORIGINAL_CLIP_S = {"GazePose": 0.314, "GazeLSTM": 0.291}
ORIGINAL_STEP_S = {"GazePose": 3.84, "GazeLSTM": 3.45}
CLIPS_AT_ONCE = 8


class Track:
    """A track of noise, with the clips around each of its frames.

    Args:
        num_frames: its length.
        side: of its frames, pixels.
    """

    def __init__(self, num_frames: int, side: int) -> None:
        generator = torch.Generator().manual_seed(0)
        shape = (num_frames, 3, side, side)
        self.frames = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        rows = np.arange(num_frames)[:, None] + np.arange(-3, 4)
        self.windows = rows.clip(0, num_frames - 1)
        self.head_bins = torch.randint(0, 91, (num_frames, 3), generator=generator)
        self.landmarks = torch.rand(num_frames, 15, generator=generator)


def seconds(work: Callable[[], object], device: str) -> float:
    """Return how long a call takes: processor time, on a GPU wall time."""
    if device == "cpu":
        start = time.process_time()
        work()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


@torch.inference_mode()
def clip_scores(net: ClipNet, track: Track, clips: np.ndarray, device: str) -> Tensor:
    """Return the scores of some clips of a track, each clip looked at for itself."""
    scores = []
    for start in tqdm(range(0, len(clips), CLIPS_AT_ONCE), desc="clip by clip", leave=False):
        chosen = clips[start : start + CLIPS_AT_ONCE]
        images = track.frames[torch.from_numpy(track.windows[chosen])].to(device)
        priors = [prior[chosen].to(device) for prior in (track.head_bins, track.landmarks)]
        scores.append(net(normalise(images), *priors).softmax(1)[:, 1].cpu())
    return torch.cat(scores)


def bench_inference(name: str, net: ClipNet, track: Track, num_clips: int, device: str) -> Row:
    """Time a track densely, and a sample of its clips one by one; checks that scores agree."""
    net.eval()
    results: dict[str, Tensor] = {}
    clips = np.linspace(0, len(track.windows) - 1, num_clips).astype(np.int64)
    halves = np.array_split(np.random.default_rng(0).permutation(clips), 2)

    def one_by_one(half: int) -> None:
        results[str(half)] = clip_scores(net, track, halves[half], device)

    def dense() -> None:
        priors = (track.head_bins, track.landmarks)
        results["dense"] = dense_scores(net, track.frames, track.windows, *priors)

    clip_scores(net, track, clips[:1], device)
    first = seconds(lambda: one_by_one(0), device)
    dense_s = seconds(dense, device)
    plain_s = (first + seconds(lambda: one_by_one(1), device)) / num_clips * len(track.windows)
    difference = max(
        float((results[str(i)] - results["dense"][half]).abs().max())
        for i, half in enumerate(halves)
    )
    assert difference < 1e-5, f"scores differ by {difference}"
    num = len(track.windows)
    return (
        f"{name}: track of {num} frames, densely",
        f"{dense_s:.1f} s",
        f"{plain_s / dense_s:.2f}x (clip by clip {plain_s / num:.3f} s a clip, the original "
        f"{ORIGINAL_CLIP_S[name]}; scores differ by {difference:.0e})",
    )


def bench_step(name: str, net: ClipNet, batch_size: int, num_steps: int, device: str) -> Row:
    """Time training steps."""
    net.train()
    loss = WeightedCrossEntropy().to(device)
    loss.set_weights(torch.tensor([0.073, 0.9269]))
    optimizer = torch.optim.Adam(p for p in net.parameters() if p.requires_grad)
    clip = torch.randn(batch_size, 7, 3, 224, 224, device=device)
    head_bins = torch.randint(0, 91, (batch_size, 3), device=device)
    landmarks = torch.rand(batch_size, 15, device=device)
    labels = torch.arange(batch_size, device=device) % 2

    def step() -> None:
        optimizer.zero_grad()
        loss(net(clip, head_bins, landmarks), labels).backward()
        optimizer.step()

    step()
    times = [seconds(step, device) for _ in tqdm(range(num_steps), desc="steps", leave=False)]
    spread = f"{min(times):.2f} - {max(times):.2f}"
    what = f"{name}: training step, batch {batch_size}"
    original = f"the original {ORIGINAL_STEP_S[name]} s at 4"
    return what, f"{statistics.median(times):.2f} s", f"{spread}; {original}"


def main() -> None:
    """Run everything and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--num-frames", type=int, default=1500)
    parser.add_argument("--num-clips", type=int, default=64, help="looked at clip by clip")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--num-steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    track = Track(args.num_frames, side=224)
    rows: list[Row] = []
    for name, make in (("GazePose", GazePose), ("GazeLSTM", GazeLSTM)):
        torch.manual_seed(0)
        net = make(resnet18()).to(args.device)
        rows.append(bench_inference(name, net, track, args.num_clips, args.device))
        rows.append(bench_step(name, net, args.batch_size, args.num_steps, args.device))
    print(f"torch {torch.__version__}, {args.device}, {args.threads} thread(s)")
    print_table(rows)


if __name__ == "__main__":
    main()
