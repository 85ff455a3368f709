"""What became of the weights of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from common.listing import listed


@dataclass(frozen=True)
class LoadReport:
    """Which weights of a file a net took. Printed, it is a few readable lines.

    Attributes:
        source: the file, and whose weights it holds.
        matched: the net's entries that were filled, by our names.
        dropped: the file's entries that were not taken, by the file's names -> why.
        missing: the net's entries that were not filled, by our names -> why.
    """

    source: str
    matched: tuple[str, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.source}: {len(self.matched)} entries loaded"]
        lines += _lines("of the file dropped", self.dropped)
        lines += _lines("of the net not filled", self.missing)
        return "\n  ".join(lines)


def _lines(what: str, reasons: Mapping[str, str]) -> list[str]:
    """Return a line a reason."""
    keys_by_reason: dict[str, list[str]] = {}
    for key, reason in reasons.items():
        keys_by_reason.setdefault(reason, []).append(key)
    return [
        f"{len(keys)} {what}: {listed(_parts(keys))}: {reason}"
        for reason, keys in keys_by_reason.items()
    ]


def _parts(keys: list[str]) -> list[str]:
    """Return the top-level parts that keys are of, each once."""
    return list(dict.fromkeys(key.removeprefix("net.").partition(".")[0] for key in keys))
