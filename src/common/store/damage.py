"""Which groups of a face store are not as they were written."""

from collections.abc import Collection
from pathlib import Path

from common.files.checksums import file_sha256
from common.store.reading import GroupPaths, read_skipped, read_table, stored_groups


def damaged_groups(store_dir: Path, groups: Collection[str] | None = None) -> list[str]:
    """Return the groups, of all or of these, that have a damaged file or no pack, sorted."""
    there = stored_groups(store_dir)
    wanted = there if groups is None else sorted(set(there).intersection(groups))
    return [group for group in wanted if not _is_intact(store_dir, group)]


def _is_intact(store_dir: Path, group: str) -> bool:
    paths = GroupPaths(store_dir, group)
    try:
        table = read_table(store_dir, group)
        read_skipped(store_dir, [group])
    except ValueError:
        return False
    if not table.height:
        return True
    if not paths.pack.exists() or "pack_sha256" not in table.columns:
        return False
    return file_sha256(paths.pack) == table["pack_sha256"][0]
