"""One job of ``train.py``: its checks, training and test, and tests on further data sets."""

import logging
import warnings
from pathlib import Path

from common.config.plain import Config
from common.runs.claim import FolderInUseError, claimed
from common.runs.places import with_latest_checkpoint
from common.runs.run import fit_and_test
from common.runs.snapshot import add_to_snapshot, read_snapshot
from common.studies.ablation import check_ablation
from common.studies.other_tests import check_other_tests, run_other_tests
from common.studies.study import check_job, outlived
from common.training.distributed import is_first_process

LOG = logging.getLogger(__name__)


def run_job(config: Config, choices: Config) -> dict[str, float]:
    """Train and test as configured; Hydra must be running.

    Args:
        config: the resolved train config.
        choices: Hydra's group choices, for the record.

    Returns:
        All metrics by name; none of a study's job that failed, so that the study goes on.

    Raises:
        ValueError: If the job contradicts its row or its study, or another process trains in its
            folder; in a study, that one is left to it.
    """
    config = with_latest_checkpoint(config)
    run_dir = Path(config["paths"]["run_dir"])
    try:
        with claimed(run_dir):
            return _run(config, choices, run_dir)
    except FolderInUseError as error:
        if config["study"] is None:
            raise
        # Not to the log: its file is the other process's.
        warnings.warn(f"{error}. The study goes on with the next job", stacklevel=2)
        return {}


def _run(config: Config, choices: Config, run_dir: Path) -> dict[str, float]:
    with outlived(config["study"], run_dir):
        check_job(config)
        changed = check_ablation(config)
        check_other_tests(run_dir, config)
        metrics = fit_and_test(config, choices, run_dir)
        if is_first_process():
            _record_changes(run_dir, changed)
            for said in run_other_tests(run_dir, config):
                LOG.info(said)
        return metrics
    return {}


def _record_changes(run_dir: Path, changed: list[str] | None) -> None:
    """Record what the row changes: in all else a report wants the runs of its study to agree."""
    if changed is None:
        return
    recorded = read_snapshot(run_dir).get("ablation_changes")
    # A finished run is left as it is: the order of keys says nothing.
    if recorded is None or set(recorded) != set(changed):
        add_to_snapshot(run_dir, ablation_changes=changed)
