"""What `python -m common.live` takes, and what it says of the rest."""

import logging
import socket
import sys
from pathlib import Path

import pytest

from common.live.command import check_place, live_annotator, live_config, main


def test_a_run_is_enough_and_the_page_is_for_this_machine_alone() -> None:
    config = live_config(["run=runs/A (1)", "annotator={following:{largest_only:true}}"])
    assert config["run"] == "runs/A (1)"
    assert config["annotator"] == {"following": {"largest_only": True}}
    assert config["server"] == {"host": "127.0.0.1", "port": 7860}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], r"run=RUN.*run=GAZE_RUN contact_run=CONTACT_RUN"),
        (["run=a", "server.prot=80"], "prot"),
        (["run=a", "server.port=http"], "http"),
        (["run=a", "source=party.mp4"], "source"),
    ],
)
def test_what_it_does_not_take_is_named(options: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        live_config(options)


def test_a_run_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"{tmp_path}.*run\.json"):
        live_annotator(live_config([f"run={tmp_path}"]))


def test_without_the_extra_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(ValueError, match=r"pip install -e '\.\[live\]'"):
        main(["run=runs/NAME"])


def test_a_place_where_nothing_can_be_served_is_refused_before_the_net_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=rf"server\.port={port}.*in use.*server\.port="):
            check_place("127.0.0.1", port)
    with pytest.raises(ValueError, match=r"server\.port=70000"):
        check_place("127.0.0.1", 70000)
    check_place("127.0.0.1", port)


def test_a_page_for_others_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    check_place("127.0.0.1", 0)
    assert not caplog.records
    check_place("0.0.0.0", 0)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
