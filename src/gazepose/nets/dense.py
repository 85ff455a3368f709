"""Scores for every frame of a track, each frame looked at once.

Neighbouring clips share six of seven frames. A net's first half sees each frame once
(`ClipNet.frame_features`), its second half gathers clips from that (`ClipNet.decide`): the result
is that of clip-by-clip inference, for a fraction of the work.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from common.arrays import Ints
from gazepose.batch import BLACK, CENTRE, NUM_FRAMES
from gazepose.nets.parts import ClipNet, FrameFeatures
from gazepose.nets.pixels import normalise

Rows = Ints
FrameLoader = Callable[[Rows], Tensor]


@torch.inference_mode()
def dense_scores(
    net: ClipNet,
    frames: Tensor | FrameLoader,
    windows: Rows,
    head_bins: Tensor | None = None,
    landmarks: Tensor | None = None,
    *,
    image_size: int = 224,
    frames_at_once: int = 64,
    clips_at_once: int = 64,
) -> Tensor:
    """Return the score of each clip, looking at each frame once.

    Frames that no clip shows are not even loaded. Embeddings are kept for all frames (1 KB each
    at the published size), maps (100 KB each) only until the last clip around them is scored: in
    a track's order, those of a few frames beside the `frames_at_once` in work.

    Args:
        net: in eval mode, on the device that shall do the work.
        frames: (F, 3, H, W) uint8 of a track, or what loads them: called with rows (m,), all
            different and ascending, it returns (m, 3, H, W) uint8. It is never asked for black.
        windows: (N, 7) rows of the frames each clip shows, after dropout and packing; -1 is
            black. Any order; the track's own needs the least memory.
        head_bins: (N, 3) of each clip, for a net that `uses_head`.
        landmarks: (N, 15) of each clip, for a net that `uses_landmarks`.
        image_size: H and W.
        frames_at_once: frames that go through the backbone together.
        clips_at_once: clips that are decided together.

    Returns:
        (N,) float32 on the CPU, the probability of looking at the camera.

    Raises:
        ValueError: If the net is in training mode, or windows, priors or frames have another
            shape.
    """
    _check(net, windows, head_bins, landmarks)
    device = next(net.parameters()).device
    load = _loader(frames, image_size)
    shown, slots = np.unique(windows, return_inverse=True)
    features = _Features(slots.reshape(windows.shape))
    scores = torch.zeros(len(windows), dtype=torch.float32)
    for start in range(0, len(shown), frames_at_once):
        images = load(shown[start : start + frames_at_once])
        features.add(net.frame_features(normalise(images.to(device))))
        for clips in features.ready_clips().split(clips_at_once):
            embeddings, maps = features.of(clips)
            priors = [
                None if one is None else one[clips].to(device) for one in (head_bins, landmarks)
            ]
            logits = net.decide(embeddings, maps, *priors)
            scores[clips] = logits.float().softmax(1)[:, 1].cpu()
        features.forget()
    return scores


class _Features:
    """What was seen so far, and which clips can be decided by it.

    A slot is a frame's place among those that are shown; they are looked at in that order.

    Args:
        slots: (N, 7) of each clip.
    """

    def __init__(self, slots: Rows) -> None:
        self._slots = torch.from_numpy(slots)
        self._num_seen = self._num_ready = 0
        last = slots.max(1, initial=0)
        self._order = np.argsort(last, kind="stable")
        self._last_in_order = last[self._order]
        # Up to which slot each slot's map is waited with; -1 where it is nobody's middle frame.
        needed_until = np.full(slots.max(initial=-1) + 1, -1)
        np.maximum.at(needed_until, slots[:, CENTRE], last)
        self._needed_until = torch.from_numpy(needed_until)
        self._embeddings: Tensor | None = None
        self._maps: Tensor | None = None
        self._mapped = torch.zeros(0, dtype=torch.int64)

    def add(self, found: FrameFeatures) -> None:
        """Take what the next frames show."""
        if self._embeddings is None:
            size = len(self._needed_until), found.embedding.shape[1]
            self._embeddings = found.embedding.new_empty(size)
        start, self._num_seen = self._num_seen, self._num_seen + len(found.embedding)
        self._embeddings[start : self._num_seen] = found.embedding
        if found.map is not None:
            slots = torch.arange(start, self._num_seen)
            slots = slots[self._needed_until[slots] >= 0]
            maps = found.map[(slots - start).to(found.map.device)]
            self._maps = maps if self._maps is None else torch.cat([self._maps, maps])
            self._mapped = torch.cat([self._mapped, slots])

    def ready_clips(self) -> Tensor:
        """Return the clips (n,) whose last frame was seen since the last call."""
        start = self._num_ready
        self._num_ready = int(np.searchsorted(self._last_in_order, self._num_seen))
        return torch.from_numpy(self._order[start : self._num_ready])

    def of(self, clips: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return embeddings (n, 7, E) and middle maps (n, C, h, w), if any, of clips (n,)."""
        assert self._embeddings is not None, "clips are ready once their frames were seen"
        device, slots = self._embeddings.device, self._slots[clips]
        embeddings = self._embeddings[slots.to(device)]
        if self._maps is None:
            return embeddings, None
        places = torch.searchsorted(self._mapped, slots[:, CENTRE].contiguous())
        return embeddings, self._maps[places.to(device)]

    def forget(self) -> None:
        """Drop the maps that no clip waits for."""
        if self._maps is not None:
            waits = self._needed_until[self._mapped] >= self._num_seen
            self._maps = self._maps[waits.to(self._maps.device)]
            self._mapped = self._mapped[waits]


def _loader(frames: Tensor | FrameLoader, image_size: int) -> FrameLoader:
    """Return what loads rows in ascending order, black first."""

    def load(rows: Rows) -> Tensor:
        real = rows[rows != BLACK]
        expected = (len(real), 3, image_size, image_size)
        if not len(real):
            return torch.zeros(len(rows), *expected[1:], dtype=torch.uint8)
        loaded = frames[torch.from_numpy(real)] if isinstance(frames, Tensor) else frames(real)
        if loaded.shape != expected or loaded.dtype != torch.uint8:
            raise ValueError(
                f"got frames {tuple(loaded.shape)} of {loaded.dtype}, expected {expected} of "
                "torch.uint8; image_size is their side"
            )
        black = loaded.new_zeros(len(rows) - len(real), *expected[1:])
        return torch.cat([black, loaded])

    return load


def _check(net: ClipNet, windows: Rows, head_bins: Tensor | None, landmarks: Tensor | None) -> None:
    if net.training:
        raise ValueError("the net is in training mode, its scores would be random; call eval()")
    if windows.ndim != 2 or windows.shape[1] != NUM_FRAMES or windows.min(initial=0) < BLACK:
        raise ValueError(
            f"got windows {windows.shape}, expected (N, {NUM_FRAMES}) rows from {BLACK} on"
        )
    for name, prior, size in (("head_bins", head_bins, 3), ("landmarks", landmarks, 15)):
        if prior is not None and prior.shape != (len(windows), size):
            raise ValueError(f"got {name} {tuple(prior.shape)}, expected ({len(windows)}, {size})")
