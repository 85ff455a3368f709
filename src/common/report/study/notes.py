"""What stands under a study's table: how to read it, and what it does not show."""

from collections.abc import Iterable, Sequence

from common.report.published import FILE, published_tables
from common.report.run import Run
from common.report.study.comparison import Comparison, RowResult
from common.report.study.study import Study
from common.report.study.tables import difference_text, seeds_text


def comparison_notes(comparison: Comparison) -> list[str]:
    """Return sentences on reading, differences, published numbers and gaps of one table."""
    return [
        _reading(comparison),
        *_on_references(comparison),
        *_on_differences(comparison),
        *_on_published(comparison),
        *_on_gaps(comparison),
    ]


def study_notes(study: Study) -> list[str]:
    """Return sentences on a study's runs, and on what it names and is not there."""
    notes = _on_unknown_published(study)
    versions = {_code_version(run) for run in study.runs} - {None}
    changed = [run for run in study.runs if run.setting("git.changes")]
    if len(versions) > 1:
        short = ", ".join(sorted(str(version)[:8] for version in versions))
        notes.append(f"The runs are of {len(versions)} versions of the code: {short}.")
    if changed:
        notes.append(f"{len(changed)} of {len(study.runs)} runs had uncommitted changes.")
    return notes


def _code_version(run: Run) -> str | None:
    """Return the checksum of the code that ran, or its commit where only that is recorded."""
    version: str | None = run.setting("code_sha256") or run.setting("git.commit")
    return version


def _on_unknown_published(study: Study) -> list[str]:
    if study.published is None or study.published in published_tables():
        return []
    expected = " or ".join(published_tables())
    return [f"published={study.published}: no such table in {FILE.name}, expected {expected}."]


def _reading(comparison: Comparison) -> str:
    cluster = next(result.tests[0].cluster for result in comparison.results if result.tests)
    if comparison.num_folds > 1:
        return (
            f"Pooled over {comparison.num_folds} folds, numbered as the seeds: each of the "
            f"{cluster} is tested by the one training that did not see them. Intervals: 95 % each, "
            f"bootstrap over whole {cluster}, the same in every row; they know nothing of the seed."
        )
    counts = {len(result.tests) for result in comparison.results if result.tests}
    reach = {True: f"seeds and whole {cluster}", False: f"whole {cluster}"}[max(counts) > 1]
    few = " A row with one seed has no deviation, and its interval knows nothing of the seed."
    narrow = " A few seeds give too narrow an interval." if max(counts) > 1 else ""
    return (
        "+-: sample standard deviation over seeds (n - 1). Intervals: 95 % each, bootstrap over "
        f"{reach}, the same {cluster} in every row.{few if 1 in counts else ''}{narrow}"
    )


def _on_references(comparison: Comparison) -> Iterable[str]:
    titles = [row.title for row in comparison.references]
    if titles:
        per_data = ", that with the same training data" if len(titles) > 1 else ""
        yield f"Reference of the differences: {'; '.join(titles)}{per_data}."
    baselines = [
        f"{name} {comparison.kind.measure.text(value)}"
        for name, value in comparison.protocol.baselines.items()
    ]
    if baselines:
        yield f"Without training: {', '.join(baselines)}."


def _on_differences(comparison: Comparison) -> Iterable[str]:
    known = [r for r in comparison.results if r.contrast and r.contrast.interval]
    without = [r for r in comparison.results if r.contrast and not r.contrast.interval]
    if known:
        larger = [r for r in known if r.contrast and r.contrast.is_larger_than_interval]
        smaller = [r for r in known if r not in larger]
        yield (
            "Differences larger than their interval (*, the interval leaves out zero): "
            f"{_listed(comparison, larger)}. Not larger, so no ranking: "
            f"{_listed(comparison, smaller)}."
        )
    if without:
        names = ", ".join(result.row.title for result in without)
        yield (
            "No interval, because predictions are missing or of other samples, or there is only "
            f"one of them all: {names}."
        )


def _listed(comparison: Comparison, results: Sequence[RowResult]) -> str:
    texts = (f"{r.row.title} {difference_text(r, comparison.kind).split(' ')[0]}" for r in results)
    return "; ".join(texts) or "none"


def _on_published(comparison: Comparison) -> Iterable[str]:
    table = published_tables().get(comparison.study.published or "")
    if table is None:
        return
    groups: dict[tuple[str, str, str], list[str]] = {}
    for result in comparison.results:
        if row := result.published:
            why = f"not comparable ({'; '.join(result.differs_in)})"
            key = row.source, row.protocol.words, "comparable" if result.is_comparable else why
            groups.setdefault(key, []).append(row.method)
    for (source, words, comparable), methods in groups.items():
        named = ", ".join(dict.fromkeys(methods))
        yield f"Published ({named}): {source}; {words}; {comparable}."
    if not groups:
        yield f"{table.title} has no number of these rows on this test."


def _on_gaps(comparison: Comparison) -> Iterable[str]:
    gaps = [
        f"{result.row.title}: {seeds_text(result)}"
        for result in comparison.results
        if sum(len(test.parts) for test in result.tests) < len(result.row.jobs)
    ]
    if gaps:
        yield f"Not complete: {'; '.join(gaps)}."
