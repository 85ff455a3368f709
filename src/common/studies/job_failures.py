"""What a study's job leaves in its folder when it fails: any process can read it there.

A job may be refused in the folder of an older, finished run, whose run.json stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from common.atomic import write_text_atomically

FILE_NAME = "failure.json"
Failure = Mapping[str, str]


def record_failure(job_dir: Path, error: Exception) -> None:
    """Write when and why a job failed.

    Args:
        job_dir: the job's folder.
        error: what ended it; the first line of its message is kept.
    """
    said = (str(error).splitlines() or [""])[0]
    reason = said if isinstance(error, ValueError) else f"{type(error).__name__}: {said}"
    failure = {"time": datetime.now(UTC).isoformat(), "reason": reason}
    job_dir.mkdir(parents=True, exist_ok=True)
    write_text_atomically(job_dir / FILE_NAME, json.dumps(failure, indent=1) + "\n")


def forget_failure(job_dir: Path) -> None:
    """Remove what an earlier start of a job left."""
    (job_dir / FILE_NAME).unlink(missing_ok=True)


def read_failures(study_dir: Path) -> dict[str, Failure]:
    """Return ``time`` and ``reason`` of the jobs whose last start failed, by the job's folder.

    Args:
        study_dir: the study's folder; it need not exist.
    """
    paths = sorted(study_dir.glob(f"*/{FILE_NAME}"))
    return {path.parent.name: json.loads(path.read_text()) for path in paths}
