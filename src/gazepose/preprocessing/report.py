"""What preprocessing reports of a store."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from common.files.sealed import scan_table
from common.listing import counted_names
from common.preprocessing.check import IMAGELESS, imageless_groups
from common.preprocessing.report import LOSSY, LOSSY_REMEDY, StoreReport, lossy_groups
from common.store.reading import stored_groups
from gazepose.store.reading import FRAMES_FILE, REMEDY

LOG = logging.getLogger(__name__)
# Found in fewer of a clip's face images, points say that its boxes are not where the faces are.
_LEAST_FOUND = 1 / 3
_UNKNOWN = "; do their prior files know these clips?"
_IN_CLIP = pl.col("photo").is_null()
_COUNTS: dict[str, pl.Expr] = {
    "clips": pl.col("group_name").filter(_IN_CLIP).n_unique(),
    "tracks": pl.struct("group_name", "track_id").filter(_IN_CLIP).n_unique(),
    "frames": _IN_CLIP.sum(),
    "photos": pl.col("photo").drop_nulls().n_unique(),
    "faces": (~_IN_CLIP).sum(),
    "images": (pl.col("num_bytes") > 0).sum(),
    "looking": (pl.col("label") == 1).sum(),
    "unlabelled": (pl.col("label") == -1).sum(),
    "points": pl.col("landmark_source").is_not_null().sum(),
    "head poses": pl.col("head_pose_source").is_not_null().sum(),
    "ranked by sharpness": pl.col("sharpness_p").is_not_nan().sum(),
    "filtered": pl.col("is_filtered").sum(),
}


@dataclass(frozen=True)
class PreprocessReport(StoreReport):
    """What a store of clips holds and what could not be used.

    A frame without an image is in the store, though it is in ``skipped`` too.

    Attributes:
        counts: by part, how many of what.
        doubtful_clips: clips in which few faces got points: on how many of how many images.
        lossy_clips: clips that lost frames because their video is damaged: how many.
        imageless_clips: clips without one image.
    """

    counts: dict[str, dict[str, int]]
    doubtful_clips: dict[str, str] = field(default_factory=dict)
    lossy_clips: dict[str, str] = field(default_factory=dict)
    imageless_clips: list[str] = field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        """Whether clips could not be made, or only in part because a video is damaged."""
        return super().has_errors or bool(self.lossy_clips)

    def counts_text(self) -> str:
        """Return the counts by part, and what is doubtful."""
        said = {
            part: ", ".join(f"{count} {what}" for what, count in counts.items() if count)
            for part, counts in self.counts.items()
        }
        lines = [f"{part}: {counts}" for part, counts in said.items()] or ["no clip stored"]
        skipped = f"{len(self.skipped)} boxes or images skipped"
        return "\n".join([*lines, skipped, *self.doubts()])

    def doubts(self) -> list[str]:
        """Return which clips are there and doubtful, and what may be the matter, as sentences."""
        lossy = [f"{clip} ({share})" for clip, share in self.lossy_clips.items()]
        few = [f"{clip} ({share})" for clip, share in self.doubtful_clips.items()]
        seen = (
            (lossy, LOSSY, f"; {LOSSY_REMEDY}"),
            (self.imageless_clips, IMAGELESS, ""),
            (few, "clips in which few faces got points", "; is this the right video?"),
            *(
                (self._parts_without(kind), f"parts without {kind}, which others have", _UNKNOWN)
                for kind in ("points", "head poses")
            ),
        )
        return [counted_names(found, what) + remedy for found, what, remedy in seen if found]

    def _parts_without(self, kind: str) -> list[str]:
        bare = [part for part, n in self.counts.items() if n["images"] and not n[kind]]
        return bare if any(n[kind] for n in self.counts.values()) else []

    def details(self) -> list[str]:
        """Return every doubtful clip, and every skipped item with its reason, a line each."""
        doubts = [f"{clip}\tpoints on {share}" for clip, share in self.doubtful_clips.items()]
        return doubts + super().details()


def report_on(
    store_dir: Path,
    skipped: list[dict[str, str]],
    failed: dict[str, str],
    *,
    expects_points: bool,
) -> PreprocessReport:
    """Return the report of all that is in a store with its table of all frames.

    Warns of what is doubtful; of few points, if every image was searched for them.
    """
    frames = scan_table(store_dir / FRAMES_FILE, REMEDY)
    counted = frames.group_by("part").agg(**_COUNTS).sort("part").collect(engine="streaming")
    report = PreprocessReport(
        counts={row.pop("part"): row for row in counted.iter_rows(named=True)},
        skipped=skipped,
        failed_groups=failed,
        doubtful_clips=_doubtful_clips(frames) if expects_points else {},
        lossy_clips=lossy_groups(skipped),
        imageless_clips=imageless_groups(store_dir, stored_groups(store_dir)),
    )
    for doubt in report.doubts():
        LOG.warning(doubt)
    return report


def _doubtful_clips(frames: pl.LazyFrame) -> dict[str, str]:
    found = pl.col("landmark_source").is_not_null()
    shares = (
        frames.filter(_IN_CLIP & (pl.col("num_bytes") > 0))
        .group_by("group_name")
        .agg(found.sum(), pl.len())
    )
    few = shares.filter(pl.col("landmark_source") < _LEAST_FOUND * pl.col("len"))
    rows = few.sort("group_name").collect(engine="streaming").iter_rows()
    return {clip: f"{n} of {of} images" for clip, n, of in rows}
