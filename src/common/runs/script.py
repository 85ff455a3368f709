"""What the scripts do around their work: how they end, and how they say what is wrong."""

import functools
import inspect
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from hydra.errors import CompactHydraException

from common.config.command_line import check_groups, for_hydra

Task = Callable[..., Any]


def script_task(task: Task) -> Task:
    """Return a script's task, within which SIGTERM ends the process with an error status.

    What is the user's to mend (ValueError) is said without a traceback: Hydra shows one of all
    errors but its own. With HYDRA_FULL_ERROR=1 it is there.

    Args:
        task: what `hydra.main` calls, in a launcher's worker too.
    """

    @functools.wraps(task)
    def told(*arguments: Any) -> Any:
        end_at_sigterm()
        try:
            return task(*arguments)
        except ValueError as error:
            raise CompactHydraException(str(error)) from error

    return told


def run_script(main: Task, config_name: str, of_run: Mapping[str, str] | None = None) -> None:
    """Run a script with its command line.

    Args:
        main: what `hydra.main` made of its task; configs lie in ``conf`` beside its file.
        config_name: of the script.
        of_run: by config group, the option that changes the same of a recorded run.
    """
    end_at_sigterm()
    config_dir = Path(inspect.getfile(inspect.unwrap(main))).absolute().parent / "conf"
    try:
        sys.argv[1:] = for_hydra(sys.argv[1:])
        check_groups(sys.argv[1:], config_dir, config_name, of_run or {})
    except ValueError as error:
        sys.exit(str(error))
    main()


def run_module(main: Callable[[], int | None]) -> NoReturn:
    """Run what stands behind ``python -m``; what is the user's to mend is said without a traceback.

    Args:
        main: reads the command line itself, and returns the exit status.
    """
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(str(error))


def end_at_sigterm() -> None:
    """Have SIGTERM end this process with an error status, files whole, unless it has a handler."""
    # What stands already is a launcher's: Slurm sends the signal to jobs that it starts again.
    is_free = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if is_free and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _end)


def _end(signal_number: int, frame: FrameType | None) -> None:
    """Leave as at Ctrl-C, so that files are whole and the end is recorded, but at once."""
    signal.signal(signal_number, signal.SIG_IGN)
    for process in multiprocessing.active_children():
        # The loader's processes end with the loader.
        if not process.daemon:
            process.terminate()
    sys.exit(128 + signal_number)
