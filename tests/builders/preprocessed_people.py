"""Preprocessing of a few people with fake faces, and what a store holds after it."""

from pathlib import Path
from typing import Any

import polars as pl

from builders.fake_faces import (
    FACE,
    NO_FACE,
    OFF_THE_FRAME,
    TWO_FACES,
    FakeAnalyzerSettings,
    FakeReader,
)
from common.store.reading import FaceStore
from flame.preprocessing.preparation import PreparationSettings
from flame.preprocessing.preprocessor import FacePreprocessor

PEOPLE: dict[str, Any] = {
    "p1": [FACE, FACE, NO_FACE, FACE],
    "p2": [FACE, "unreadable photo", TWO_FACES, "unreadable photo"],
    "p3": [OFF_THE_FRAME, NO_FACE],
    "p4": [FACE],
    "p5": [FACE, FACE],
}


def preprocessor(store_dir: Path, kinds: Any = None, **settings: Any) -> FacePreprocessor:
    preparation = PreparationSettings(codec="png", box_margin=settings.pop("box_margin", 0.05))
    return FacePreprocessor(
        settings.pop("name", "people"),
        FakeReader(
            kinds or PEOPLE,
            options=settings.pop("reader_settings", {}),
            compares=settings.pop("compares", False),
        ),
        store_dir,
        preparation,
        FakeAnalyzerSettings(),  # type: ignore[arg-type]
        **({"num_workers": 0} | settings),
    )


def made_at(store_dir: Path) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in (store_dir / "tables").glob("*.parquet")}


def content(store_dir: Path) -> tuple[pl.DataFrame, list[bytes]]:
    """All rows and packs, as bytes."""
    packs = [path.read_bytes() for path in sorted((store_dir / "packs").glob("*.pack"))]
    return FaceStore(store_dir).table, packs


def assert_same(one: Path, other: Path) -> None:
    (table, packs), (other_table, other_packs) = content(one), content(other)
    assert table.equals(other_table)
    assert packs == other_packs
