"""Names in a message."""

from __future__ import annotations

from collections.abc import Sequence

_MAX_LISTED = 8


def listed(names: Sequence[str]) -> str:
    """Return names as a list for a message, a long one cut."""
    shown = ", ".join(names[:_MAX_LISTED])
    return shown if len(names) <= _MAX_LISTED else f"{shown}, ... ({len(names)} in all)"
