"""What the eye-contact nets share: features of each frame, and what seven of them say.

B clips, T frames a clip, E embedding, H hidden units of the LSTM, C channels of a map.
"""

from itertools import pairwise
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from gazepose.nets.backbones import Backbone, pooled
from gazepose.nets.backbones.sizes import check_at_least


class FrameFeatures(NamedTuple):
    """What a net sees in each of M frames, whatever clips they belong to."""

    embedding: Tensor
    """(M, E)."""
    map: Tensor | None
    """(M, C, h, w); None for a net that looks at embeddings only."""


class ClipEncoder(nn.Module):
    """A backbone, an embedding of each frame, a bidirectional LSTM over them.

    Under autocast embedding and LSTM keep the weights' precision: images differ little in their
    mean features, and bfloat16 would round much of the difference away.

    Args:
        backbone: image to map.
        embedding: E.
        embedding_hidden: units between the pooled map and the embedding.
        lstm_hidden: H, of each of two layers and two directions.

    Raises:
        ValueError: If a size is less than 1.
    """

    def __init__(
        self, backbone: Backbone, embedding: int, embedding_hidden: int, lstm_hidden: int
    ) -> None:
        super().__init__()
        check_at_least(
            1,
            {
                "model.embedding": embedding,
                "model.net.embedding_hidden": embedding_hidden,
                "model.lstm_hidden": lstm_hidden,
            },
        )
        self.backbone = backbone
        self.embedding = nn.Sequential(
            nn.Linear(backbone.num_channels, embedding_hidden),
            nn.ReLU(),
            nn.Linear(embedding_hidden, embedding),
        )
        self.lstm = nn.LSTM(
            embedding, lstm_hidden, num_layers=2, bidirectional=True, batch_first=True
        )

    def look(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return embeddings (M, E) and maps (M, C, h, w) of normalised frames (M, 3, H, W).

        Frames of another precision than the weights' are converted.
        """
        feature_map = self.backbone(frames.to(self._dtype))
        with torch.autocast(frames.device.type, enabled=False):
            features = pooled(feature_map.to(self._dtype))
            return self.embedding(features), feature_map

    def centre_state(self, embedding: Tensor) -> Tensor:
        """Return the LSTM's state (B, 2H) at the middle one of frames (B, T, E)."""
        with torch.autocast(embedding.device.type, enabled=False):
            return self.lstm(embedding)[0][:, embedding.shape[1] // 2]

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.lstm.parameters()).dtype


class ClipNet(ClipEncoder):
    """Base of the eye-contact nets.

    A net is two halves, so that frames which several clips share are looked at once
    (`gazepose.nets.dense`): `frame_features` for each frame, `decide` for each clip.

    Attributes:
        uses_head: whether the net asks for `head_bins`.
        uses_landmarks: whether it asks for `landmarks`.
        uses_map: whether it asks for the centre frame's map.
    """

    uses_head: bool = False
    uses_landmarks: bool = False
    uses_map: ClassVar[bool] = False

    def frame_features(self, frames: Tensor) -> FrameFeatures:
        """Look at normalised frames (M, 3, H, W), each for itself."""
        embedding, feature_map = self.look(frames)
        return FrameFeatures(embedding, feature_map if self.uses_map else None)

    def decide(
        self,
        embedding: Tensor,
        centre_map: Tensor | None,
        head_bins: Tensor | None = None,
        landmarks: Tensor | None = None,
    ) -> Tensor:
        """Return the logits (B, 2) of clips from their frames' features.

        Args:
            embedding: (B, T, E) of the frames.
            centre_map: (B, C, h, w) of the middle frame; None where `uses_map` is False.
            head_bins: as `forward`.
            landmarks: as `forward`.
        """
        raise NotImplementedError

    def forward(
        self, clip: Tensor, head_bins: Tensor | None = None, landmarks: Tensor | None = None
    ) -> Tensor:
        """Say whether the person of each clip looks at the camera in the middle frame.

        Args:
            clip: (B, T, 3, H, W) normalised frames, T odd; one clip will do.
            head_bins: (B, 3) bins of |yaw|, |pitch|, |roll| of the middle frame; for a net that
                `uses_head`.
            landmarks: (B, 15) five x, five y, five scores; for a net that `uses_landmarks`.

        Returns:
            (B, 2) logits of "not looking" and "looking".

        Raises:
            ValueError: If a prior that the net asks for is missing.
        """
        embedding, maps = self.frame_features(clip.flatten(0, 1))
        centre_map = None
        if maps is not None:
            centre_map = maps.unflatten(0, clip.shape[:2])[:, clip.shape[1] // 2]
        embedding = embedding.unflatten(0, clip.shape[:2])
        return self.decide(embedding, centre_map, head_bins, landmarks)


class Classifier(nn.Sequential):
    """Linear layers with nothing in between, as published.

    They keep the weights' precision under autocast: bfloat16 has 256 steps between two powers of
    two, and average precision would see ties.
    """

    def __init__(self, *sizes: int) -> None:
        super().__init__(*(nn.Linear(a, b) for a, b in pairwise(sizes)))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, sizes[0]) to (B, sizes[-1])."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.to(next(self.parameters()).dtype))


def asked_prior(name: str, prior: Tensor | None) -> Tensor:
    """Return a prior that a net asks for.

    Raises:
        ValueError: If it is missing.
    """
    if prior is None:
        raise ValueError(
            f"this net asks for {name}, got None; give them, or train with priors that leave them "
            "out (priors=none)"
        )
    return prior
