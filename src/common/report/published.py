"""Numbers that others published, with protocol and source: what ``published.yaml`` holds."""

from collections.abc import Mapping
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
    ablations: tuple[str, ...]
    protocol: PublishedProtocol
    source: str
    evidence: str
    trainings: int | None
    values: Mapping[str, PublishedValue]


@dataclass(frozen=True)
class PublishedTable:
    """A table; `source` is that of the rows which name no other."""

    name: str
    title: str
    source: str
    rows: tuple[PublishedRow, ...]


@cache
def published_tables(path: Path = FILE) -> Mapping[str, PublishedTable]:
    """Return all tables by name.

    Raises:
        ValueError: If a row names a protocol that is not there.
        TypeError: If an entry is missing or misspelt.
    """
    content: Any = OmegaConf.to_container(OmegaConf.load(path))
    protocols = {name: PublishedProtocol(**entry) for name, entry in content["protocols"].items()}
    return {name: _table(name, entry, protocols) for name, entry in content["tables"].items()}


def _table(
    name: str, entry: Mapping[str, Any], protocols: Mapping[str, PublishedProtocol]
) -> PublishedTable:
    shared = {key: entry[key] for key in ("source", "evidence", "protocol")}
    rows = tuple(_row({**shared, **row}, protocols) for row in entry["rows"])
    return PublishedTable(name, entry["title"], entry["source"], rows)


def _row(entry: Mapping[str, Any], protocols: Mapping[str, PublishedProtocol]) -> PublishedRow:
    if entry["protocol"] not in protocols:
        raise ValueError(
            f"protocol {entry['protocol']!r} of {entry['method']}: expected {list(protocols)}"
        )
    values = {key: PublishedValue(**value) for key, value in entry["values"].items()}
    changed = {
        "ablations": tuple(entry.get("ablations", ())),
        "protocol": protocols[entry["protocol"]],
        "values": values,
    }
    return PublishedRow(**{**entry, **changed})
