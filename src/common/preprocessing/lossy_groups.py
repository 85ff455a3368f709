"""Groups that lost frames because a video is damaged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from common.media.video import DECODING_FAILED, FRAMES_DAMAGED

LOSSY = "groups whose videos could be decoded only in part"
LOSSY_REMEDY = (
    "put whole files in their place, then `python preprocess.py data=... mode=repair` makes them "
    "again"
)
_LOSSES = (DECODING_FAILED, FRAMES_DAMAGED)


def lossy_groups(skipped: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the groups that lost frames because a video was damaged, with how many.

    Args:
        skipped: items with ``group`` and ``reason``.
    """
    lost = Counter(
        item["group"] for item in skipped if any(loss in item["reason"] for loss in _LOSSES)
    )
    return {group: f"{count} faces lost" for group, count in lost.items()}
