"""What preprocessing reports of a face store."""

import logging
from dataclasses import dataclass, field

from common.config.checks import frame_of
from common.preprocessing.report import StoreReport
from common.store.reading import FaceStore, read_recipe
from flame.preprocessing.label_check import check_label_signs
from flame.store.labels import GazeLabels, has_inputs

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreprocessReport(StoreReport):
    """What a store of gaze labels holds and what could not be used.

    Attributes:
        num_faces: rows of the store.
        sign_checks: what the eyes say of the labels' signs, in words.
    """

    num_faces: int = 0
    sign_checks: list[str] = field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        """Whether groups could not be made, or nothing of what is there could be used."""
        return super().has_errors or (self.num_faces == 0 and bool(self.skipped))

    def counts_text(self) -> str:
        """Return how many faces there are."""
        return f"{self.num_faces} faces stored, {len(self.skipped)} items skipped"

    def summary(self) -> str:
        """Return the counts, by reason, and what the eyes say of the labels."""
        return "\n".join([super().summary(), *(f"  {message}" for message in self.sign_checks)])


def check_signs(store: FaceStore) -> list[str]:
    """Return what the eyes in the images say of the labels' signs; warn of a wrong one."""
    if not has_inputs(store.table):
        return ["the labels' signs could not be checked: no eyes were looked for"]
    labels = GazeLabels.from_table(store.table)
    checks = check_label_signs(labels.landmarks, labels.gaze, labels.head_pose)
    if frame_of(read_recipe(store.store_dir)) == "normalised":
        # No roll is left there: what would be correlated is noise.
        checks = [check for check in checks if check.label != "head roll"]
    for check in checks:
        if check.is_flipped:
            LOG.warning(check.message)
    return [check.message for check in checks]
