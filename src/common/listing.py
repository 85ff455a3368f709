"""Names and numbers, as said."""

from collections.abc import Sequence

_MAX_LISTED = 8


def listed(names: Sequence[str]) -> str:
    """Return names as a list for a message, a long one cut."""
    shown = ", ".join(name or "''" for name in names[:_MAX_LISTED])
    return shown if len(names) <= _MAX_LISTED else f"{shown}, ... ({len(names)} in all)"


def slice_name(value: str | float) -> str:
    """Return the name of some of the samples: a number without superfluous digits."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def counted(number: int, nouns: str) -> str:
    """Return a number with what it counts, e.g. ``1 clip without a video``.

    Args:
        number: how many.
        nouns: the plural, ending in s, and any words after it.
    """
    noun, space, rest = nouns.partition(" ")
    return f"{number} {noun.removesuffix('s') if number == 1 else noun}{space}{rest}"


def counted_names(names: Sequence[str], nouns: str) -> str:
    """Return how many names of what there are, and the names, e.g. ``1 clip to make: a``."""
    return f"{counted(len(names), nouns)}: {listed(names)}"
