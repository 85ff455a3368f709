"""Checks across config groups and data sets; each says what to type instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def check_conventions(trained: Mapping[str, Any], tested: Mapping[str, Any], allow: bool) -> None:
    """Refuse to test where gaze means something else than in training.

    Args:
        trained: fingerprint of the training data; empty if unknown (an original's checkpoint).
        tested: fingerprint of the test data.
        allow: the user wants it anyway.

    Raises:
        ValueError: If the gaze conventions differ and that is not allowed.
    """
    if not trained or allow:
        return
    before = trained["recipe"]["gaze_convention"]
    now = tested["recipe"]["gaze_convention"]
    if before != now:
        raise ValueError(
            f"{trained['name']} defines gaze as {before!r}, {tested['name']} as {now!r}: errors "
            "would mix both definitions. Type allow_other_convention=true to do it anyway"
        )
