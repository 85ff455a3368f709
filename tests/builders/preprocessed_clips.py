"""Preprocessing of a few small clips, and what a store holds after it."""

from pathlib import Path
from typing import Any

import polars as pl

from builders.fake_lam import IMAGE, NO_IMAGE, FakeLamReader, FakePreparation
from gazepose.preprocessing.preprocessor import LamPreprocessor

CLIPS: dict[str, Any] = {
    "t1": [IMAGE, IMAGE, NO_IMAGE, IMAGE],
    "t2": [IMAGE, "a box of nobody", IMAGE],
    "t3": ["a box of nobody"],
    "v1": [IMAGE, IMAGE],
    "v2": [NO_IMAGE, IMAGE],
}


def preprocessor(
    store_dir: Path, clips: Any = None, reader: Any = None, preparation: Any = None, **settings: Any
) -> LamPreprocessor:
    return LamPreprocessor(
        settings.pop("name", "clips"),
        FakeLamReader(CLIPS if clips is None else clips) if reader is None else reader,
        store_dir,
        FakePreparation() if preparation is None else preparation,
        **({"num_workers": 0} | settings),
    )


def frames(store_dir: Path) -> pl.DataFrame:
    return pl.read_parquet(store_dir / "frames.parquet")


def assert_same(one: Path, other: Path) -> None:
    assert frames(one).fill_nan(None).equals(frames(other).fill_nan(None))
    for path in (one / "packs").glob("*.pack"):
        assert path.read_bytes() == (other / "packs" / path.name).read_bytes()


def made_at(store_dir: Path) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in (store_dir / "tables").glob("*.parquet")}


def remade(store_dir: Path, before: dict[str, int]) -> set[str]:
    """Return which of the groups of `made_at` were made again since."""
    return {group for group, time in made_at(store_dir).items() if before.get(group, time) != time}


def damage(store_dir: Path, group: str) -> None:
    pack = store_dir / "packs" / f"{group}.pack"
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 255
    pack.write_bytes(data)


def contents(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """All files with when they were written, and what they hold."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}
