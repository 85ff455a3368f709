"""What the decoder is asked: head pose and face landmarks as codes, or learned parameters.

B samples, D width. Three queries stand for the head pose, five for the landmarks. Values beyond a
table take its last or first code: the original crashes there (Hopenet can say 99 degrees, its
table ends at 90).
"""

import torch
from torch import Tensor, nn

from gazepose.priors import NUM_POINTS, num_head_bins

NUM_ANGLES = 3
LANDMARK_RANGE = 2.0
"""Landmark coordinates lie in [-2, 2], scores in [0, 1]."""
LANDMARK_INDICES = ("original", "collision_free")


class LearnedQueries(nn.Module):
    """Parameters in place of an ablated prior."""

    def __init__(self, num_queries: int, width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(num_queries, width))

    def forward(self, batch_size: int) -> Tensor:
        """Return the queries (B, num_queries, D), alike for every sample."""
        return self.query.expand(batch_size, -1, -1)


class HeadQueries(nn.Module):
    """One code a bin of yaw, pitch and roll.

    Args:
        width: of a code.
        split: degrees a bin; the last bin holds 90 degrees, more, and "unknown".
    """

    def __init__(self, width: int, split: float = 1.0) -> None:
        super().__init__()
        num_bins = num_head_bins(split)
        self.yaw = nn.Embedding(num_bins, width)
        self.pitch = nn.Embedding(num_bins, width)
        self.roll = nn.Embedding(num_bins, width)

    def forward(self, head_bins: Tensor) -> Tensor:
        """Map bins (B, 3) [yaw, pitch, roll] to queries (B, 3, D)."""
        bins = head_bins.long().clamp(0, self.yaw.num_embeddings - 1)
        tables = (self.yaw, self.pitch, self.roll)
        return torch.stack([table(bins[:, i]) for i, table in enumerate(tables)], dim=1)


class LandmarkQueries(nn.Module):
    """One code a landmark: half of it says the cell, half the score.

    Args:
        width: of a code, even.
        dsplit: side of a cell; coordinates lie in [-2, 2].
        csplit: step of the score.
        landmark_index: "original" numbers the cell (x, y) as x * 20 + y in a table of 41 x 41
            rows, so that (x, y) and (x + 1, y - 20) share a code; "collision_free" numbers
            x * 41 + y. Sizes are those of dsplit 0.1.
        train_codes: the original looks codes up without gradient, so that they stay the random
            ones of the start (or of the checkpoint); True trains them.

    Raises:
        ValueError: If the width is odd, a step is not in (0, 1] or the index is unknown.
    """

    def __init__(
        self,
        width: int,
        dsplit: float = 0.1,
        csplit: float = 0.1,
        landmark_index: str = "original",
        train_codes: bool = False,
    ) -> None:
        super().__init__()
        if width % 2:
            raise ValueError(f"width is {width}, expected an even number")
        if landmark_index not in LANDMARK_INDICES:
            known = " or ".join(LANDMARK_INDICES)
            raise ValueError(f"priors.landmark_index is {landmark_index!r}, expected {known}")
        self.cell_size = _step("priors.dsplit", dsplit)
        self.score_step = _step("priors.csplit", csplit)
        self.is_collision_free = landmark_index == "collision_free"
        self.cells_per_side = int(2 * LANDMARK_RANGE / dsplit) + 1
        self.cell = nn.Embedding(self.cells_per_side**2, width // 2)
        self.score = nn.Embedding(int(1 / csplit) + 1, width // 2)
        self.requires_grad_(train_codes)

    def indices(self, landmarks: Tensor) -> tuple[Tensor, Tensor]:
        """Return the rows of the two tables for landmarks (B, 15): cell (B, 5), score (B, 5).

        The division is the CPU's on every device. CUDA multiplies by the reciprocal of a Python
        number instead, which on borders between cells (one in a million random coordinates)
        gives the neighbouring cell: a checkpoint gives the same scores everywhere here.
        """
        values = landmarks.float()
        x, y, score = values.unflatten(1, (3, NUM_POINTS)).unbind(1)
        column = _steps(x + LANDMARK_RANGE, self.cell_size)
        row = _steps(y + LANDMARK_RANGE, self.cell_size)
        return (
            self._cell_index(column, row).clamp(0, self.cell.num_embeddings - 1),
            _steps(score, self.score_step).clamp(0, self.score.num_embeddings - 1),
        )

    def forward(self, landmarks: Tensor) -> Tensor:
        """Map landmarks (B, 15), five x, five y, five scores, to queries (B, 5, D)."""
        cell, score = self.indices(landmarks)
        return torch.cat([self.cell(cell), self.score(score)], dim=-1)

    def _cell_index(self, column: Tensor, row: Tensor) -> Tensor:
        if not self.is_collision_free:
            return column * int(LANDMARK_RANGE / self.cell_size) + row
        last = self.cells_per_side - 1
        return column.clamp(0, last) * self.cells_per_side + row.clamp(0, last)


def _step(name: str, value: float) -> float:
    if not 0 < value <= 1:
        raise ValueError(f"{name} is {value}, expected more than 0 and at most 1")
    return value


def _steps(values: Tensor, step: float) -> Tensor:
    """Return how many whole steps there are in values, int64."""
    # A tensor, not a number: see LandmarkQueries.indices.
    return (values / torch.full_like(values, step)).floor().long()
