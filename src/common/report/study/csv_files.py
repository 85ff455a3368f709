"""A study's numbers unrounded: a line a row and test, and a line a training and test."""

from collections.abc import Sequence
from typing import Any

from common.report.kinds.measure import Quantity
from common.report.kinds.model_test import ModelTest
from common.report.study.comparison import Comparison, RowResult
from common.report.study.study import Study
from common.report.tables.csv_file import csv_text


def rows_csv(comparisons: Sequence[Comparison]) -> str:
    """Return a line a row and test; values in the unit named, as shown in the tables."""
    return csv_text([_line(c, result) for c in comparisons for result in c.results])


def trainings_csv(study: Study) -> str:
    """Return a line a training and test, or one line of a training without a test."""
    lines = [
        {
            **{"study": study.name, "row": row.name, "seed": job.seed, "status": job.status},
            **{"run": job.run.name if job.run else None},
            **({} if test is None else _of_test(test)),
        }
        for row in study.rows
        for job in row.jobs
        for test in (job.tests or [None])
    ]
    return csv_text(lines)


def _of_test(test: ModelTest) -> dict[str, Any]:
    return {
        **{key: test.summary[key] for key in ("trained_on", "tested_on", "part")},
        **{"measure": test.measure.name, "unit": test.measure.unit},
        "value": _shown(test.measure, test.value),
    }


def _line(comparison: Comparison, result: RowResult) -> dict[str, Any]:
    measure, beside = comparison.kind.measure, comparison.kind.beside
    contrast = result.contrast
    return {
        **{"study": comparison.study.name, "row": result.row.name, "title": result.row.title},
        "trained_on": result.row.trained_on,
        **{"tested_on": comparison.protocol.tested_on, "part": comparison.protocol.part},
        **{"measure": measure.name, "unit": measure.unit},
        "num_seeds": sum(len(test.parts) for test in result.tests),
        "num_planned": len(result.row.jobs),
        "missing": "; ".join(
            f"{job.seed} {job.status}" for job in result.row.jobs if not job.is_finished
        ),
        **{
            "mean": _shown(measure, result.mean(measure)),
            "std": _shown(measure, result.std(measure)),
        },
        **_ends("interval", measure, result.interval),
        "reference": contrast.reference.name if contrast else None,
        "difference": _shown(measure, contrast.value if contrast else None),
        **_ends("difference", measure, contrast.interval if contrast else None),
        **{f"{beside.key}_mean": _shown(beside, result.mean(beside))},
        **{f"{beside.key}_std": _shown(beside, result.std(beside))},
        **_published(result, measure),
        "protocol": comparison.protocol.caption,
    }


def _published(result: RowResult, measure: Quantity) -> dict[str, Any]:
    row, value = result.published, result.published_value(measure)
    return {
        "published_mean": value.mean if value else None,
        "published_std": value.std if value else None,
        "published_trainings": row.trainings if row else None,
        "published_source": row.source if row else None,
        "published_protocol": row.protocol.words if row else None,
        "published_differs_in": "; ".join(result.differs_in) if row else None,
    }


def _ends(name: str, quantity: Quantity, interval: Any) -> dict[str, float | None]:
    ends = {end: getattr(interval, end) if interval else None for end in ("low", "high")}
    return {f"{name}_{end}": _shown(quantity, value) for end, value in ends.items()}


def _shown(quantity: Quantity, value: float | None) -> float | None:
    return None if value is None else quantity.shown(value)
