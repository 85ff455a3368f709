"""Scores for every frame of a track, each frame looked at once.

Neighbouring clips share six of seven frames. A net's first half sees each frame once
(`ClipNet.frame_features`), its second half gathers clips from that (`ClipNet.decide`): the result
is that of clip-by-clip inference, for a fraction of the work.
"""

import numpy as np
import torch
from torch import Tensor

from common.arrays import Ints
from gazepose.batch import BLACK, CENTRE
from gazepose.nets.parts import ClipNet, FrameFeatures
from gazepose.nets.pixels import normalise

Rows = Ints


@torch.inference_mode()
def dense_scores(
    net: ClipNet,
    frames: Tensor,
    windows: Rows,
    head_bins: Tensor | None = None,
    landmarks: Tensor | None = None,
    *,
    frames_at_once: int = 64,
    clips_at_once: int = 64,
) -> Tensor:
    """Return the score of each clip, looking at each frame once.

    Embeddings are kept for all frames (1 KB each at the published size), maps (100 KB each) only
    until the last clip around them is scored: in a track's order, those of a few frames beside the
    `frames_at_once` in work.

    Args:
        net: in eval mode, on the device that shall do the work.
        frames: (F, 3, H, W) uint8 of a track.
        windows: (N, 7) rows of the frames each clip shows, after dropout and packing; -1 is
            black. Any order; the track's own needs the least memory.
        head_bins: (N, 3) of each clip, for a net that `uses_head`.
        landmarks: (N, 15) of each clip, for a net that `uses_landmarks`.
        frames_at_once: frames that go through the backbone together.
        clips_at_once: clips that are decided together.

    Returns:
        (N,) float32 on the CPU, the probability of looking at the camera.
    """
    assert not net.training, "its scores would be random"
    device = next(net.parameters()).device
    shown, slots = np.unique(windows, return_inverse=True)
    features = _Features(slots.reshape(windows.shape))
    scores = torch.zeros(len(windows), dtype=torch.float32)
    for start in range(0, len(shown), frames_at_once):
        images = _images(frames, shown[start : start + frames_at_once])
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


def _images(frames: Tensor, rows: Rows) -> Tensor:
    """Return the images of ascending rows, black first."""
    real = frames[torch.from_numpy(rows[rows != BLACK])]
    black = frames.new_zeros(len(rows) - len(real), *frames.shape[1:])
    return torch.cat([black, real])
