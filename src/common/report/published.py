"""Numbers that others published, with protocol and source: what ``published.yaml`` holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

FILE = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class PublishedProtocol:
    """What was measured on what.

    Attributes:
        kind: of test, as in our summaries.
        data: name of the data set, as ours.
        part: of the data.
        conditions: further ones that ours must share, by the names of a kind's conditions.
        words: all of it for a reader.
    """

    kind: str
    data: str
    part: str
    conditions: Mapping[str, Any]
    words: str


@dataclass(frozen=True)
class PublishedValue:
    """A number; `std` is over trainings, None if it was not published."""

    mean: float
    std: float | None = None


@dataclass(frozen=True)
class PublishedRow:
    """A method's numbers.

    Attributes:
        method: its name.
        ablations: study rows with the same setting.
        protocol: of the numbers.
        source: where they were published.
        evidence: ``read``, or ``excerpt`` of a source that was seen only in part.
        trainings: how many are behind a mean; None if it was not said.
        values: by a summary's key, in per cent or degrees.
    """

    method: str
    ablations: Sequence[str]
    protocol: PublishedProtocol
    source: str
    evidence: str
    trainings: int | None
    values: Mapping[str, PublishedValue]


@dataclass(frozen=True)
class PublishedTable:
    """A table of methods."""

    title: str
    rows: Sequence[PublishedRow]


@cache
def published_tables() -> Mapping[str, PublishedTable]:
    """Return all tables by name."""
    content: Any = OmegaConf.to_container(OmegaConf.load(FILE))
    protocols = {name: PublishedProtocol(**entry) for name, entry in content["protocols"].items()}
    return {name: _table(entry, protocols) for name, entry in content["tables"].items()}


def _table(entry: Mapping[str, Any], protocols: Mapping[str, PublishedProtocol]) -> PublishedTable:
    shared = {key: entry[key] for key in ("source", "evidence", "protocol")}
    rows = [{"ablations": (), **shared, **row} for row in entry["rows"]]
    for row in rows:
        row["protocol"] = protocols[row["protocol"]]
        row["values"] = {key: PublishedValue(**value) for key, value in row["values"].items()}
    return PublishedTable(entry["title"], [PublishedRow(**row) for row in rows])
