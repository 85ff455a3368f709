"""A group of raw data, read as preprocessing reads it."""

from common.store.skipped import Skipped
from flame.readers.sample import RawReader, RawSample


def read_group(reader: RawReader, group: str) -> list[RawSample | Skipped]:
    """Return all of a group: as many items as the reader counts, or preprocessing's bar lies."""
    items = list(reader.read(group))
    assert len(items) == reader.count(group)
    return items
