"""What could not be used, and why: listed in reports, never fatal."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Skipped:
    """An item that could not be used.

    Attributes:
        sample_id: of the item, unique in its data set.
        subject: whose it is: a person or a face track.
        group: unit of storage it belongs to: a person's photos, a session or a clip.
        reason: as a user reads it.
    """

    sample_id: str
    subject: str
    group: str
    reason: str


def explained(error: Exception) -> str:
    """Return an error as a reason: the message alone where it was written for a user."""
    if isinstance(error, ValueError | OSError) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}"
