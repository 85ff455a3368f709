"""A run on a browser's camera, live.

python -m common.live run=runs/NAME                             gaze or eye contact
python -m common.live run=runs/GAZE contact_run=runs/CONTACT    both questions at once
python -m common.live run=first server.port=8000 'annotator={following:{largest_only:true}}'

Then open the address that is printed. Options are those of predict.py: run, contact_run,
checkpoint, trusted, annotator, module, trainer.precision, faces.model, paths.runs_dir; and
server.host (127.0.0.1: this machine alone) and server.port (7860).
"""

import argparse
import logging
import os
import socket
from collections.abc import Sequence

import numpy as np
from hydra import compose, initialize
from hydra.errors import HydraException

from common.config import schema
from common.config.command_line import for_hydra
from common.config.instantiate import merged
from common.config.optional_packages import optional
from common.config.plain import Config, plain
from common.live.session import Session, Sessions
from common.prediction.annotator import Annotator
from common.prediction.command import asked_annotator, find_contact
from common.prediction.trained import from_run
from common.runs.script import end_at_sigterm

LOG = logging.getLogger(__name__)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TOLD = "a live page needs Gradio; type pip install -e '.[live]'"
# What predict.py's options are where there are none of them.
_NOT_ASKED = {"onnx": None, "dropout": None}
_AT_ONCE = {"following": {"is_live": True}}


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve a page until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m common.live",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("options", nargs="*", metavar="KEY=VALUE")
    config = live_config(parser.parse_args(arguments).options)
    # It reports its use to its makers unless told not to.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    optional("gradio", _TOLD)
    from common.live.page import serve  # optional extra

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    end_at_sigterm()
    check_place(**config["server"])
    title, annotator = live_annotator(config)
    # Nets and graphs are set up with the first frame, which nobody shall wait for.
    Session(annotator).answer(np.zeros((720, 1280, 3), np.uint8))
    serve(title, Sessions(annotator), **config["server"])


def live_config(options: Sequence[str]) -> Config:
    """Return what is typed, resolved and with all defaults.

    Raises:
        ValueError: If an option is unknown or has no such value, or no run is named.
    """
    schema.register()
    try:
        with initialize(version_base="1.3", config_path=None):
            config = plain(compose("live", for_hydra(options)))
    except HydraException as error:
        raise ValueError(str(error)) from error
    if config["run"] is None:
        raise ValueError(
            "live with what? Type run=RUN, of gaze or of eye contact, or "
            "run=GAZE_RUN contact_run=CONTACT_RUN for both"
        )
    return {**config, **_NOT_ASKED}


def check_place(host: str, port: int) -> None:
    """Refuse a place where nothing can be served, before a net is loaded.

    Raises:
        ValueError: If so.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except (OSError, OverflowError) as error:
        raise ValueError(
            f"server.host={host} server.port={port}: {error}. Type another port, as server.port="
            f"{port % 60000 + 1}, or an address of this machine"
        ) from error
    if host not in _LOOPBACK:
        LOG.warning(
            "server.host=%s: whoever reaches this machine can use the page. Browsers give it their "
            "camera through https only; for one other machine, ssh -L %d:localhost:%d does",
            *(host, port, port),
        )


def live_annotator(config: Config) -> tuple[str, Annotator]:
    """Return the names of the runs, and what answers each frame at once as they say.

    Raises:
        ValueError: If there is no such run, it is for something else, or a setting is unknown.
    """
    trained, contact = from_run(config), find_contact(config)
    asked = {**config, "annotator": merged(config["annotator"], _AT_ONCE)}
    runs = [run.folder.name for run in (trained, contact) if run is not None]
    return " and ".join(runs), asked_annotator(asked, trained, contact)
