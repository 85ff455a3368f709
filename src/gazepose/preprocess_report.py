"""What preprocessing reports of a store, and what a check finds."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from common.facestore import read_failures, read_skipped
from common.findings import Finding, findings_text
from common.listing import counted_names
from common.preprocess_run import item_lines, problem_lines

LOG = logging.getLogger(__name__)
# Found in fewer of a clip's face images, points say that its boxes are not where the faces are.
_LEAST_FOUND = 1 / 3
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
        doubtful_clips: clips in which few faces got points: on how many of how many images.
    """

    counts: dict[str, dict[str, int]]
    skipped: list[dict[str, str]]
    failed_groups: dict[str, str]
    doubtful_clips: dict[str, str] = field(default_factory=dict)

    @property
    def has_errors(self) -> bool:
        """Whether clips could not be made."""
        return bool(self.failed_groups)

    def summary(self) -> str:
        """Return the counts by part, then by reason."""
        lines = [_sentence(part, counts) for part, counts in self.counts.items()]
        lines = lines or ["no clip stored"]
        lines.append(f"{len(self.skipped)} boxes or images skipped")
        if self.doubtful_clips:
            lines.append(self.doubt())
        return "\n".join(lines + problem_lines(self.skipped, self.failed_groups))

    def doubt(self) -> str:
        """Return which clips are doubtful, and what may be the matter, as a sentence."""
        found = [f"{clip} ({share})" for clip, share in self.doubtful_clips.items()]
        what = counted_names(found, "clips in which few faces got points")
        return f"{what}; is this the right video?"

    def text(self) -> str:
        """Return the counts, and every doubtful clip and skipped item with its reason."""
        doubts = [f"{clip}\tpoints on {share}" for clip, share in self.doubtful_clips.items()]
        return "\n".join([self.summary(), *doubts, *item_lines(self.skipped)])


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
            lines.append(counted_names(self.removed, "clips found damaged and removed"))
        if self.missing:
            lines.append(counted_names(self.missing, "clips to make"))
        return "\n".join(lines)


def report_on(store_dir: Path, frames: pl.DataFrame, *, expects_points: bool) -> LamReport:
    """Return the report of all that is in a store.

    Args:
        store_dir: the store's folder.
        frames: its table of all frames.
        expects_points: whether every image was searched for points.
    """
    counted = frames.group_by("part").agg(**_COUNTS).sort("part")
    counts = {row.pop("part"): row for row in counted.iter_rows(named=True)}
    doubtful = _doubtful_clips(frames) if expects_points else {}
    report = LamReport(counts, read_skipped(store_dir), read_failures(store_dir), doubtful)
    if doubtful:
        LOG.warning(report.doubt())
    return report


def _doubtful_clips(frames: pl.DataFrame) -> dict[str, str]:
    found = pl.col("landmark_source").is_not_null()
    shares = (
        frames.filter(pl.col("num_bytes") > 0).group_by("group_name").agg(found.sum(), pl.len())
    )
    few = shares.filter(pl.col("landmark_source") < _LEAST_FOUND * pl.col("len"))
    return {clip: f"{n} of {of} images" for clip, n, of in few.sort("group_name").iter_rows()}


def _sentence(part: str, counts: dict[str, int]) -> str:
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"{part}: {said}"
