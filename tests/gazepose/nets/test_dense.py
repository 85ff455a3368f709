from typing import Any

import numpy as np
import pytest
import torch
from builders.small_nets import small_gazelstm, small_gazepose
from torch import Tensor, nn

from gazepose.data.temporal_dropout import TemporalDropout, positions_to_show
from gazepose.nets import dense
from gazepose.nets.dense import dense_scores
from gazepose.nets.parts import ClipNet
from gazepose.nets.pixels import normalise

SIDE = 64
NUM_FRAMES = 40
NETS = {"gazepose": small_gazepose, "gazelstm": small_gazelstm}


def spread(net: ClipNet) -> ClipNet:
    """Weights as trained ones are: frames and clips get different scores."""
    generator = torch.Generator().manual_seed(9)
    for name, value in net.named_parameters():
        if value.dim() == 2 and not name.startswith("transformer"):
            value.data = torch.randn(value.shape, generator=generator) / value.shape[1] ** 0.5
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_var.fill_(0.5)
    return net.eval()


@pytest.fixture(params=NETS)
def net(request: pytest.FixtureRequest) -> ClipNet:
    return spread(NETS[request.param]())


@pytest.fixture(scope="module")
def track() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (NUM_FRAMES, 3, SIDE, SIDE), generator=generator).byte()


@pytest.fixture(scope="module")
def priors() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randint(0, 91, (NUM_FRAMES, 3), generator=generator),
        torch.rand(NUM_FRAMES, 15, generator=generator),
    )


def plain_windows() -> np.ndarray:
    """Rows f-3..f+3 of each frame; -1 beyond the track."""
    rows = np.arange(NUM_FRAMES)[:, None] + np.arange(-3, 4)
    return np.where((rows >= 0) & (rows < NUM_FRAMES), rows, -1)


def packed_windows() -> np.ndarray:
    """Windows of a track with missing frames and dropout, as a test's loader packs them."""
    rng = np.random.default_rng(0)
    rows = plain_windows()
    has_image = (rows >= 0) & (rng.random(NUM_FRAMES) > 0.15)[rows]
    sharpness_p = rng.random(NUM_FRAMES)[rows]
    dropped = TemporalDropout("gaussian").dropped(sharpness_p, "test")
    shown = positions_to_show(has_image & ~dropped, np.zeros_like(has_image))
    windows = np.where(shown >= 0, np.take_along_axis(rows, np.maximum(shown, 0), 1), -1)
    windows[7] = -1
    return windows


def clip_by_clip(net: ClipNet, track: Tensor, windows: np.ndarray, priors: Any) -> Tensor:
    frames = torch.cat([track, torch.zeros_like(track[:1])])
    with torch.inference_mode():
        logits = [
            net(normalise(frames[window][None]), *(prior[i : i + 1] for prior in priors))
            for i, window in enumerate(windows)
        ]
    return torch.cat(logits).softmax(1)[:, 1]


def assert_equals_clip_by_clip(
    net: ClipNet,
    track: Tensor,
    windows: np.ndarray,
    priors: Any,
    at_once: list[tuple[int, int]],
) -> None:
    """So many frames and clips at once."""
    expected = clip_by_clip(net, track, windows, priors)
    assert expected.std() > 1e-3
    for frames, clips in at_once:
        sizes = {"frames_at_once": frames, "clips_at_once": clips}
        scores = dense_scores(net, track, windows, *priors, **sizes)
        assert scores.dtype == torch.float32
        torch.testing.assert_close(scores, expected, rtol=0, atol=1e-5)


def test_scores_are_those_of_clip_by_clip_inference(
    net: ClipNet, track: Tensor, priors: Any
) -> None:
    windows = packed_windows()
    assert (windows == -1).any(axis=0).all()
    assert (windows[:, 3] == -1).sum() > 3
    assert_equals_clip_by_clip(net, track, windows, priors, at_once=[(64, 64), (7, 3), (1, 1)])


def test_windows_of_any_order_and_contents(net: ClipNet, track: Tensor, priors: Any) -> None:
    windows = np.random.default_rng(3).integers(-1, NUM_FRAMES, (NUM_FRAMES, 7))
    assert_equals_clip_by_clip(net, track, windows, priors, at_once=[(5, 64)])


def test_maps_are_kept_for_waiting_clips_only(
    track: Tensor, priors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    num_kept: list[int] = []

    class Watched(dense._Features):
        def forget(self) -> None:
            super().forget()
            num_kept.append(len(self._mapped))
            assert self._maps is not None
            assert len(self._maps) == len(self._mapped)

    monkeypatch.setattr(dense, "_Features", Watched)
    net = spread(small_gazepose())
    dense_scores(net, track, plain_windows(), *priors, frames_at_once=8)
    # The last three frames wait for the next three; black's map is nobody's.
    assert num_kept == [3, 3, 3, 3, 3, 0]


def test_a_track_without_a_single_frame(net: ClipNet, track: Tensor) -> None:
    bins, points = torch.zeros(2, 3), torch.zeros(2, 15)
    black = np.full((2, 7), -1)
    scores = dense_scores(net, track[:0], black, bins, points)
    expected = clip_by_clip(net, track, black, (bins, points))
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-6)
    nothing = dense_scores(net, track, black[:0], bins[:0], points[:0])
    assert nothing.shape == (0,)
