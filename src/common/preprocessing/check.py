"""A look at a store beside its raw data: what is damaged, missing or made from something else."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from common.files.sealed import has_seal
from common.listing import counted_names
from common.preprocessing.findings import Finding, Severity, findings_text
from common.preprocessing.recipe import StoreRecipe
from common.preprocessing.report import LOSSY, LOSSY_REMEDY, lossy_groups
from common.preprocessing.share import Share, changed_groups
from common.store.damage import damaged_groups
from common.store.packs import REPAIR
from common.store.reading import GroupPaths, read_failures, read_skipped

IMAGELESS = "groups without one image"


@dataclass(frozen=True)
class CheckReport:
    """What a check found, and which groups the next run makes; nothing was changed."""

    findings: list[Finding]
    missing: list[str]

    @property
    def has_errors(self) -> bool:
        """Whether one of the findings is an error."""
        return any(finding.severity == "error" for finding in self.findings)

    def summary(self) -> str:
        """Return the findings and what the next run has to do."""
        lines = [findings_text(self.findings)]
        if self.missing:
            lines.append(counted_names(self.missing, "groups to make"))
        return "\n".join(lines)


def no_store_yet(store_dir: Path) -> Finding | None:
    """Return the note that there is no store, None where there is one."""
    if (store_dir / "store.json").exists():
        return None
    return Finding("note", "no store yet", str(store_dir))


def check_store(
    recipe: StoreRecipe[Any], shard: tuple[int, int], raw_findings: Sequence[Finding] = ()
) -> CheckReport:
    """Look at one share of a store, beside what was found in the raw data."""
    store_dir = recipe.store_dir
    findings = [*raw_findings, *filter(None, [no_store_yet(store_dir)])]
    try:
        share = Share(recipe, shard)
    except ValueError as error:
        if all(found.what != str(error) for found in findings):  # a reader may have said it
            findings.append(Finding("error", str(error), str(store_dir)))
        return CheckReport(findings, [])
    stored = set(share.stored())
    missing = [group for group in share.own if group not in stored]
    return CheckReport([*findings, *_store_findings(share)], missing)


def imageless_groups(store_dir: Path, groups: Sequence[str]) -> list[str]:
    """Return those of a store's groups that hold no image, though there was something to make."""
    return [group for group in groups if _is_imageless(store_dir, group)]


def _store_findings(share: Share) -> list[Finding]:
    damaged = damaged_groups(share.store_dir, share.own)
    sound = sorted(set(share.stored()).difference(damaged))
    failures = read_failures(share.store_dir)
    failed = [f"{group} ({failures[group]})" for group in share.own if group in failures]
    lossy = lossy_groups(read_skipped(share.store_dir, sound))
    lost = [f"{group} ({what})" for group, what in lossy.items()]
    again = "the next run makes them again"
    unsealed = [group for group in sound if not has_seal(GroupPaths(share.store_dir, group).table)]
    anew = "they are read as they are; to have them made again remove their tables"
    seen: list[tuple[Severity, list[str], str, str]] = [
        ("error", damaged, "groups damaged", f"{REPAIR}, from the raw data"),
        ("error", failed, "groups could not be made", "another run tries again"),
        ("error", lost, LOSSY, LOSSY_REMEDY),
        ("warning", changed_groups(share), "groups made from what has changed since", again),
        ("warning", imageless_groups(share.store_dir, sound), IMAGELESS, ""),
        ("note", unsealed, "groups from before tables had checksums", anew),
    ]
    return [
        Finding(severity, counted_names(found, what), str(share.store_dir), remedy)
        for severity, found, what, remedy in seen
        if found
    ]


def _is_imageless(store_dir: Path, group: str) -> bool:
    rows = pl.scan_parquet(GroupPaths(store_dir, group).table, glob=False)
    # The table of a group without rows has no such column.
    if "num_bytes" not in rows.collect_schema():
        return bool(read_skipped(store_dir, [group]))
    return not rows.select((pl.col("num_bytes") > 0).any()).collect().item()
