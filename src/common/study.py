"""A study's jobs: which belong to it, what one that fails leaves, and what is left to do."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from common.other_tests import missing_tests
from common.snapshot import FILE_NAME, read_snapshot

LOG = logging.getLogger(__name__)
Config = Mapping[str, Any]


def job_name(ablation: str, seed: int) -> str:
    """Return the name of a job's folder in its study's; ``conf/sweeps/study.yaml`` says it too."""
    return f"{ablation}_seed{seed}"


def check_job(config: Config) -> None:
    """Refuse a job that is not of its study.

    Args:
        config: the job's resolved config.

    Raises:
        ValueError: If its row or its seed is none of the study's.
    """
    study = config["study"]
    if study is None:
        return
    for key, typed, value, known in (
        ("row", "ablations", config["ablation"], study["rows"]),
        ("seed", "seed", config["seed"], study["seeds"]),
    ):
        if value not in known:
            raise ValueError(
                f"{typed}={value} is no {key} of study {study['name']}; it has "
                f"{', '.join(map(str, known))}. Type one of them, or add it to the study's file "
                "(seeds also by 'study.seeds=[0,1]')"
            )


@contextmanager
def outlived(study: Config | None) -> Iterator[None]:
    """Log a failure of a study's job and go on, so that the other jobs run and none goes unsaid.

    Hydra's own sweeper would show the first failure only, after the last job. Interruptions
    (Ctrl-C) still end the study.

    Args:
        study: of the job; without one, failures are raised.
    """
    try:
        yield
    except Exception:
        if study is None:
            raise
        LOG.exception("this job failed; the study goes on with the next one")


def unfinished_jobs(study_dir: Path, study: Config) -> dict[str, bool]:
    """Return the jobs of a study that have no complete result, in the table's order.

    Args:
        study_dir: the study's folder.
        study: its rows and seeds.

    Returns:
        Whether it was begun (it failed or was interrupted), by the job's name.
    """
    jobs = [job_name(row, seed) for row in study["rows"] for seed in study["seeds"]]
    return {job: (study_dir / job).is_dir() for job in jobs if not _is_complete(study_dir / job)}


def _is_complete(run_dir: Path) -> bool:
    if not (run_dir / FILE_NAME).is_file():
        return False
    snapshot = read_snapshot(run_dir)
    return snapshot["status"] == "finished" and not missing_tests(run_dir, snapshot["config"])


class StudySummary(Callback):
    """Says at a study's end what is finished, what failed and what was not run."""

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Log the summary; the process ends with status 1 if a job of the study failed."""
        study: Any = OmegaConf.to_container(config.study, resolve=True)
        study_dir = Path(config.hydra.sweep.dir)
        unfinished = unfinished_jobs(study_dir, study)
        num_jobs = len(study["rows"]) * len(study["seeds"])
        done = f"study {study['name']}: {num_jobs - len(unfinished)} of {num_jobs} jobs finished"
        LOG.info("%s -> %s", done, study_dir)
        if absent := [job for job, begun in unfinished.items() if not begun]:
            LOG.info("not run: %d jobs", len(absent))
        if failed := [job for job, begun in unfinished.items() if begun]:
            logs = "".join(f"\n  {job}: {study_dir / job / 'train.log'}" for job in failed)
            LOG.error(
                "failed:%s\nThe same command again runs only what is missing or failed.", logs
            )
            # Hydra turns errors of a callback into warnings.
            raise SystemExit(1)
