"""One process at a time trains in a run's folder."""

import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

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

    Raises:
        FolderInUseError: If another process has it. Nothing in the folder is changed, then.
    """
    if not is_first_process():
        yield
        return
    run_dir.mkdir(parents=True, exist_ok=True)
    path = run_dir / FILE_NAME
    with _locked(path) as lock:
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}")
        lock.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _locked(path: Path) -> TextIO:
    while True:
        lock = path.open("a+")
        try:
            _lock(lock)
        except (BlockingIOError, PermissionError) as error:
            with lock:
                lock.seek(0)
                owner = lock.read().strip() or "another process"
            raise FolderInUseError(
                f"{path.parent} is in use: {owner} trains there. Wait for its end, or choose "
                "another folder (hydra.run.dir=runs/NAME)"
            ) from error
        except OSError as error:
            LOG.warning("%s cannot be locked (%s): start no second run there", path.parent, error)
        # Whoever had it may have removed the file between the two.
        if path.is_file() and path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
            return lock
        lock.close()


def _lock(file: TextIO) -> None:
    # Not flock: a loader's process would keep that one after this process was killed.
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_in_use(run_dir: Path) -> bool:
    """Return whether another process has a run's folder; this one must not have it."""
    path = run_dir / FILE_NAME
    if not path.is_file():
        return False
    with path.open("a+") as lock:
        try:
            _lock(lock)
        except (BlockingIOError, PermissionError):
            return True
        except OSError:
            return False
    return False
