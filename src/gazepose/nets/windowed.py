"""A clip net as one function of frames and of which of them each clip shows: what is exported.

Neighbouring clips share six of seven frames, and each frame is looked at once, as in
`gazepose.nets.dense`; but here tensors are all there is, so that the function can be written as a
graph. F frames, N clips, S side of a frame.
"""

import torch
from torch import Tensor, nn

from gazepose.nets.gaze360 import Gaze360, GazeEstimate
from gazepose.nets.parts import ClipNet
from gazepose.nets.pixels import normalise
from gazepose.priors import LARGEST_DEG, mirror_landmarks, num_head_bins


class WindowedScores(nn.Module):
    """Probabilities of looking at the camera.

    Args:
        net: in eval mode.
        image_size: S.
        split_deg: degrees of head pose a bin.
        flip_average: the mean of each clip's and its mirror image's.
        mirror_priors: the mirror image's landmarks are mirrored too.
    """

    black_embedding: Tensor
    black_map: Tensor

    def __init__(
        self,
        net: ClipNet,
        image_size: int,
        split_deg: float,
        flip_average: bool,
        mirror_priors: bool,
    ) -> None:
        super().__init__()
        self.net = net
        self._split_deg = split_deg
        self._flip_average = flip_average
        self._mirror_priors = mirror_priors
        embedding, centre_map = net.frame_features(_black(net, image_size))
        self.register_buffer("black_embedding", embedding.detach())
        self.register_buffer("black_map", None if centre_map is None else centre_map.detach())

    def forward(
        self,
        frames: Tensor,
        windows: Tensor,
        head_pose_deg: Tensor | None = None,
        landmarks: Tensor | None = None,
    ) -> Tensor:
        """Return the probabilities (N,).

        Args:
            frames: (F, S, S, 3) uint8 RGB.
            windows: (N, 7) int64, which frame a clip shows at each place; -1 is a black one.
            head_pose_deg: (N, 3) [yaw, pitch, roll] of the middle frame as Hopenet counts them, NaN
                where unknown; for a net that `uses_head`.
            landmarks: (N, 15) as `gazepose.priors.eye_centred`, zeros where unknown; for a net that
                `uses_landmarks`.
        """
        images = frames.movedim(-1, 1)
        head_bins = None if head_pose_deg is None else self._head_bins(head_pose_deg)
        scores = self._scores(images, windows, head_bins, landmarks)
        if not self._flip_average:
            return scores
        if landmarks is not None and self._mirror_priors:
            landmarks = mirror_landmarks(landmarks)
        return (scores + self._scores(images.flip(-1), windows, head_bins, landmarks)) / 2

    def _scores(
        self, images: Tensor, windows: Tensor, head_bins: Tensor | None, landmarks: Tensor | None
    ) -> Tensor:
        embedding, maps = self.net.frame_features(normalise(images))
        centre_map = None
        if maps is not None:
            centre_map = torch.cat([maps, self.black_map])[windows[:, windows.shape[1] // 2]]
        shown = torch.cat([embedding, self.black_embedding])[windows]
        return self.net.decide(shown, centre_map, head_bins, landmarks).float().softmax(1)[:, 1]

    def _head_bins(self, head_pose_deg: Tensor) -> Tensor:
        """Return what `gazepose.priors.head_bins` does."""
        is_known = ~head_pose_deg.isnan().any(-1, keepdim=True)
        angles = torch.where(is_known, head_pose_deg, LARGEST_DEG).abs()
        bins = (angles / self._split_deg).floor().long()
        return bins.clamp(max=num_head_bins(self._split_deg) - 1)


class WindowedGaze(nn.Module):
    """Gaze and its uncertainty.

    Args:
        net: in eval mode.
        image_size: S.
    """

    black_embedding: Tensor

    def __init__(self, net: Gaze360, image_size: int) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("black_embedding", net.look(_black(net, image_size))[0].detach())

    def forward(self, frames: Tensor, windows: Tensor) -> GazeEstimate:
        """Return `GazeEstimate` of N clips; frames and windows as `WindowedScores`."""
        embedding, _ = self.net.look(normalise(frames.movedim(-1, 1)))
        return self.net.estimate(torch.cat([embedding, self.black_embedding])[windows])


def _black(net: nn.Module, image_size: int) -> Tensor:
    device = next(net.parameters()).device
    return normalise(torch.zeros(1, 3, image_size, image_size, dtype=torch.uint8, device=device))
