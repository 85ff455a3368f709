"""Preprocessing of a few people with fake faces, and when their tables were made."""

from pathlib import Path
from typing import Any

from builders.fake_faces import (
    FACE,
    NO_FACE,
    OFF_THE_FRAME,
    TWO_FACES,
    FakeAnalyzerSettings,
    FakeReader,
)
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
