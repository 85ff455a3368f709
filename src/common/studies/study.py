"""A study's jobs: which belong to it, what one that fails leaves, and what is left to do."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ValueType
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from common.config.plain import Config
from common.files.form import FLAG, TEXT, check_form
from common.files.sealed import read_json, write_json
from common.runs.claim import is_in_use
from common.runs.snapshot import FILE_NAME, is_debug, read_snapshot
from common.studies.other_tests import missing_tests

LOG = logging.getLogger(__name__)
Failure = Mapping[str, str]
# A job may be refused in the folder of an older, finished run, whose run.json stays as it is.
FAILURE_FILE = "failure.json"
# Of a job's config, to tell whether it is complete.
_ASKED = {"data": {"name": TEXT}, "test": FLAG, "also_test": [TEXT]}


def job_name(ablation: str, seed: int) -> str:
    """Return the name of a job's folder in its study's; ``conf/sweeps/jobs.yaml`` says it too."""
    return f"{ablation}_seed{seed}"


def check_job(config: Config) -> None:
    """Refuse a job that is not of its study."""
    study = config["study"]
    if study is None:
        return
    for key, known in (("ablation", study["rows"]), ("seed", study["seeds"])):
        _check_own(study["name"], key, config[key], known)


def check_typed(name: str, swept: Config, typed: Iterable[str]) -> None:
    """Refuse a command with a row or a seed that is none of its study's, before any job.

    Args:
        name: of the study.
        swept: what it sweeps over, values joined by commas, by key.
        typed: the command's overrides; choices by a pattern (``glob``) are left to the jobs.
    """
    for override in OverridesParser.create().parse_overrides(list(typed)):
        key = override.key_or_group
        if key not in swept:
            continue
        is_sweep = override.is_sweep_override()
        is_pattern = override.value_type == ValueType.GLOB_CHOICE_SWEEP
        if is_sweep and (is_pattern or not override.is_discrete_sweep()):
            continue
        values = override.sweep_iterator() if is_sweep else [override.value()]
        for value in values:
            _check_own(name, key, str(value), swept[key].split(","))


def _check_own(study: str, key: str, value: Any, known: Iterable[Any]) -> None:
    if value not in known:
        raise ValueError(
            f"{key}={value} is not of study {study}, which has {', '.join(map(str, known))}. Type "
            "one of them, or add it to the study's file (seeds also by 'study.seeds=[0,1]')"
        )


@contextmanager
def outlived(study: Config | None, job_dir: Path) -> Iterator[None]:
    """Record a failure of a study's job and go on, so that the others run and none goes unsaid.

    Hydra's own sweeper would show the first failure only, after the last job. Interruptions
    (Ctrl-C) still end the study.

    Args:
        study: of the job; without one, failures are raised.
        job_dir: the job's folder, which keeps the failure until the job is started again.
    """
    if study is not None:
        (job_dir / FAILURE_FILE).unlink(missing_ok=True)
    try:
        yield
    except Exception as error:
        if study is None:
            raise
        record_failure(job_dir, error)
        LOG.exception("this job failed; the study goes on with the next one")


def record_failure(job_dir: Path, error: Exception) -> None:
    """Write when and why a job failed; of the message the first line."""
    said = (str(error).splitlines() or [""])[0]
    reason = said if isinstance(error, ValueError) else f"{type(error).__name__}: {said}"
    failure = {"time": datetime.now(UTC).isoformat(), "reason": reason}
    job_dir.mkdir(parents=True, exist_ok=True)
    write_json(job_dir / FAILURE_FILE, failure)


def read_failures(study_dir: Path) -> dict[str, Failure]:
    """Return ``time`` and ``reason`` of the jobs whose last start failed, by the job's folder."""
    paths = sorted(study_dir.glob(f"*/{FAILURE_FILE}"))
    return {path.parent.name: _failure(path) for path in paths}


def _failure(path: Path) -> Failure:
    """Return what a failed job left; of a damaged file, that it is one."""
    try:
        failure: Failure = read_json(path, "starting the job again writes it anew")
        check_form(failure, {"time": TEXT, "reason": TEXT}, str(path))
    except ValueError as error:
        return {"time": "", "reason": str(error)}
    return failure


def unfinished_jobs(study_dir: Path, study: Config) -> dict[str, bool]:
    """Return the jobs of a study that have no complete result, in the table's order.

    Returns:
        Whether it was begun (it failed or was interrupted), by the job's name.
    """
    jobs = [job_name(row, seed) for row in study["rows"] for seed in study["seeds"]]
    return {job: (study_dir / job).is_dir() for job in jobs if not _is_complete(study_dir / job)}


def _is_complete(run_dir: Path) -> bool:
    if not (run_dir / FILE_NAME).is_file():
        return False
    try:
        snapshot = read_snapshot(run_dir)
        check_form(snapshot["config"], _ASKED, str(run_dir / FILE_NAME))
    except ValueError as error:
        LOG.warning("%s", error)
        return False
    if is_debug(snapshot):
        return False
    return snapshot["status"] == "finished" and not missing_tests(run_dir, snapshot["config"])


class StudySummary(Callback):
    """Says at a study's end what is finished, what failed and what was not run."""

    def __init__(self) -> None:
        self._earlier: Config = {}

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Refuse rows and seeds that are none of the study's; remember what failed earlier."""
        try:
            sweeper: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
            typed = config.hydra.overrides.task
            check_typed(config.study.name, sweeper["params"] or {}, typed)
        except ValueError as error:
            LOG.error("%s", error)
            # Hydra turns errors of a callback into warnings.
            raise SystemExit(1) from error
        self._earlier = read_failures(Path(config.hydra.sweep.dir))

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Log the summary; the process ends with status 1 if a job of this call failed."""
        study: Any = OmegaConf.to_container(config.study, resolve=True)
        study_dir = Path(config.hydra.sweep.dir)
        # Left by the jobs, which may have run in other processes and on other machines.
        failures = read_failures(study_dir)
        failed = {job: one for job, one in failures.items() if one != self._earlier.get(job)}
        unfinished = unfinished_jobs(study_dir, study)
        num_jobs = len(study["rows"]) * len(study["seeds"])
        done = f"study {study['name']}: {num_jobs - len(unfinished)} of {num_jobs} jobs finished"
        LOG.info("%s -> %s", done, study_dir)
        if absent := [job for job, begun in unfinished.items() if not begun]:
            LOG.info("not run: %d jobs", len(absent))
        begun = [job for job, was_begun in unfinished.items() if was_begun and job not in failed]
        if elsewhere := [job for job in begun if is_in_use(study_dir / job)]:
            LOG.info("run by another process: %s", ", ".join(elsewhere))
        if begun := [job for job in begun if job not in elsewhere]:
            earlier = dict.fromkeys(begun, "")
            LOG.warning("failed or interrupted earlier:%s", _logs(study_dir, earlier))
        if failed:
            reasons = {job: f"\n    {failure['reason']}" for job, failure in failed.items()}
            LOG.error(
                "failed:%s\nThe same command again runs only what is missing or failed.",
                _logs(study_dir, reasons),
            )
            raise SystemExit(1)


def _logs(study_dir: Path, reasons: Mapping[str, str]) -> str:
    return "".join(
        f"\n  {job}: {study_dir / job / 'train.log'}{reason}" for job, reason in reasons.items()
    )
