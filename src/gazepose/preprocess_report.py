"""What preprocessing reports of a store, and what a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from common.facestore import read_failures, read_skipped
from common.listing import listed
from common.preprocess_run import item_lines, problem_lines
from gazepose.sample import Finding, findings_text

_COUNTS: dict[str, pl.Expr] = {
    "clips": pl.col("group_name").n_unique(),
    "tracks": pl.struct("group_name", "track_id").n_unique(),
    "frames": pl.len(),
    "images": (pl.col("num_bytes") > 0).sum(),
    "looking": (pl.col("label") == 1).sum(),
    "unlabelled": (pl.col("label") == -1).sum(),
    "points": pl.col("landmark_source").is_not_null().sum(),
    "head poses": pl.col("head_pose_source").is_not_null().sum(),
    "ranked by sharpness": pl.col("sharpness_p").is_not_nan().sum(),
    "filtered": pl.col("is_filtered").sum(),
}


@dataclass(frozen=True)
class LamReport:
    """What a store holds and what could not be used, whichever run or shard found it.

    Attributes:
        counts: by part, how many of what.
        skipped: what could not be used: ``sample_id``, ``reason`` and more; a frame without an
            image is in the store all the same.
        failed_groups: why clips are not there, by clip.
    """

    counts: dict[str, dict[str, int]]
    skipped: list[dict[str, str]]
    failed_groups: dict[str, str]

    @property
    def has_errors(self) -> bool:
        """Whether clips could not be made."""
        return bool(self.failed_groups)

    def summary(self) -> str:
        """Return the counts by part, then by reason."""
        lines = [_sentence(part, counts) for part, counts in self.counts.items()]
        lines = lines or ["no clip stored"]
        lines.append(f"{len(self.skipped)} boxes or images skipped")
        return "\n".join(lines + problem_lines(self.skipped, self.failed_groups))

    def text(self) -> str:
        """Return the counts and every skipped item with its reason."""
        return "\n".join([self.summary(), *item_lines(self.skipped)])


@dataclass(frozen=True)
class CheckReport:
    """What `gazepose.preprocess.LamPreprocessor.check` found; nothing was made.

    Attributes:
        findings: the reader's doctor's, and of the store.
        missing: clips that the next run makes.
        removed: damaged clips that were removed from the store; the next run makes them again.
    """

    findings: list[Finding]
    missing: list[str]
    removed: list[str]

    @property
    def has_errors(self) -> bool:
        """Whether one of the findings is an error."""
        return any(finding.severity == "error" for finding in self.findings)

    def summary(self) -> str:
        """Return the findings and what the next run has to do."""
        lines = [findings_text(self.findings)]
        if self.removed:
            lines.append(f"{len(self.removed)} damaged clips removed: {listed(self.removed)}")
        if self.missing:
            lines.append(f"{len(self.missing)} clips to make: {listed(self.missing)}")
        return "\n".join(lines)


def report_on(store_dir: Path, frames: pl.DataFrame) -> LamReport:
    """Return the report of all that is in a store.

    Args:
        store_dir: the store's folder.
        frames: its table of all frames.
    """
    counted = frames.group_by("part").agg(**_COUNTS).sort("part")
    counts = {row.pop("part"): row for row in counted.iter_rows(named=True)}
    return LamReport(counts, read_skipped(store_dir), read_failures(store_dir))


def _sentence(part: str, counts: dict[str, int]) -> str:
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"{part}: {said}"
