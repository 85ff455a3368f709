"""One process at a time trains in a run's folder."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.training.distributed import is_first_process

LOG = logging.getLogger(__name__)
FILE_NAME = ".lock"


class FolderInUseError(ValueError):
    """A run's folder is another process's."""


@contextmanager
def claimed(run_dir: Path) -> Iterator[None]:
    """Keep a run's folder for this process; of several that train together, for the first.

    The claim ends with the process, however that ends: the system keeps it, not the file. Where a
    file system has no locks, the folder is used without one, with a warning.

    Args:
        run_dir: the run's folder, made if it is not there.

    Raises:
        FolderInUseError: If another process has it. Nothing in the folder is changed, then.
    """
    if not is_first_process():
        yield
        return
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / FILE_NAME).open("a+") as lock:
        try:
            # Not flock: a loader's process would keep that one after this process was killed.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            lock.seek(0)
            raise FolderInUseError(
                f"{run_dir} is in use: {lock.read().strip() or 'another process'} trains there. "
                "Wait for its end, or choose another folder (hydra.run.dir=runs/NAME)"
            ) from error
        except OSError as error:
            LOG.warning("%s cannot be locked (%s): start no second run in it", run_dir, error)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def is_in_use(run_dir: Path) -> bool:
    """Return whether another process has a run's folder; this one must not have it."""
    path = run_dir / FILE_NAME
    if not path.is_file():
        return False
    with path.open("a+") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return True
        except OSError:
            return False
    return False
