"""What tests of eye contact must share to stand in one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from common.evaluation.scores import BASELINE_NAMES
from common.report.kinds.protocol import TestProtocol


@dataclass(frozen=True)
class EyeContactProtocol(TestProtocol):
    """What two tests of eye contact must share to stand in one table.

    Clips and baselines (mAP, in [0, 1]) come from the tested samples themselves, so data that
    changed under an unchanged name do not slip into the same table. Where a model's priors come
    from, and which frames it leaves out, is the model's own affair: a setting.
    """

    stride: int
    num_samples: int
    num_positive: int
    clips: tuple[tuple[Any, ...], ...]  # name, number of samples, of positives
    clips_are: str  # clips, photos or people
    constant: float | None
    head_pose: float | None
    sharpness: float | None
    baseline_digits: ClassVar[int] = 5
    baseline_names: ClassVar[Mapping[str, str]] = BASELINE_NAMES

    @property
    def title(self) -> str:
        """Headline of its section."""
        return f"{super().title}: eye contact"

    @property
    def caption(self) -> str:
        """The protocol in words."""
        return (
            f"{self.tested_on}, {self.part} part (n = {self.num_samples}, positive: "
            f"{self.num_positive}, {self.clips_are}: {len(self.clips)}); eye contact; "
            f"stride: {self.stride}{self.fold_words}"
        )
