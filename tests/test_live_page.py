"""`python -m common.live` in a browser, with a camera that shows a drawn face."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from builders import small_lam_training
from builders.browser import chromium, hosts_asked, logged_errors, network_events, wait_until
from builders.counting_faces import Counting

from common.live.session import Sessions
from common.media.video_writer import write_video
from common.synthetic.people.head import make_identity
from common.synthetic.rendering.portraits import render_portrait

pytestmark = pytest.mark.slow

SIDE = 150
# The command, and to whom it connects or whose address it looks up.
AUDITED = """
import runpy, sys
def told(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        place = arguments[1] if event == "socket.connect" else arguments[0]
        print(place[0] if isinstance(place, tuple) else place, file=asked, flush=True)
asked = open("asked.txt", "w")
sys.addaudithook(told)
runpy.run_module("common.live", run_name="__main__", alter_sys=True)
"""
TOLD = re.compile(r"1 face, \d+\.\d frames a second, \d+ ms from picture to answer")


@pytest.fixture(scope="module", autouse=True)
def _needs_gradio() -> None:
    pytest.importorskip("gradio", reason="needs Gradio ('.[live]')")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """A face that moves."""
    face = render_portrait(make_identity(0), np.random.default_rng(4), size_px=SIDE).image
    shown = []
    for step in range(60):
        picture = np.full((240, 320, 3), (120, 135, 150), np.uint8)
        left = 20 + 3 * abs(step - 30)
        picture[40 : 40 + SIDE, left : left + SIDE] = face
        shown.append(picture)
    return shown


@pytest.fixture(scope="module")
def browser(pictures: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    with av.open(str(path), "w", format="mjpeg") as container:
        stream: Any = container.add_stream("mjpeg", rate=30)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuvj420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    with chromium(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={path}",
    ) as driver:
        yield driver


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the command serves a run of eye contact, until SIGTERM."""
    folder, port = tmp_path_factory.mktemp("live"), free_port()
    small_lam_training.write_store(folder / "store")
    quick = ["trainer.max_epochs=1", "callbacks.pictures=null"]
    small_lam_training.train_here("gazelstm", folder / "store", folder / "contact", *quick)
    options = ["run=contact", "paths.runs_dir=.", f"server.port={port}"]
    command = [sys.executable, "-c", AUDITED, *options]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said == f"http://127.0.0.1:{port}/ shows contact; Ctrl-C ends it\n"
        yield f"http://127.0.0.1:{port}/"
        process.terminate()
        assert process.wait(30) == 128 + signal.SIGTERM
    assert set((folder / "asked.txt").read_text().split()) <= {"127.0.0.1", "localhost"}


def said(browser: Any) -> str:
    return str(browser.execute_script("return document.querySelector('.said')?.innerText || ''"))


def find(browser: Any, css: str) -> Any:
    """An element that may be used."""
    wait_until(lambda: bool(browser.find_elements("css selector", f"{css}:enabled")))
    return browser.find_element("css selector", css)


def click(browser: Any, css: str) -> None:
    find(browser, css).click()


def most_at_once(events: list[dict[str, Any]]) -> int:
    """How many pictures were on their way to be answered at a time."""
    open_now: set[str] = set()
    most = 0
    for event in events:
        asked = event["params"]
        if event["method"] == "Network.requestWillBeSent":
            if "/component_server" in asked["request"]["url"]:
                open_now.add(asked["requestId"])
        elif event["method"] in ("Network.loadingFinished", "Network.loadingFailed"):
            open_now.discard(asked["requestId"])
        most = max(most, len(open_now))
    return most


def test_a_cameras_face_is_found_at_once_and_nobody_else_is_asked(
    browser: Any, address: str
) -> None:
    browser.get(address)
    click(browser, "[name=camera]")
    wait_until(lambda: TOLD.fullmatch(said(browser)) is not None)
    assert browser.execute_script("return document.querySelector('img[alt]').naturalWidth") == 320
    click(browser, "[name=stop]")
    wait_until(lambda: said(browser) == "Stopped.")
    events = network_events(browser)
    assert hosts_asked(events) == {"127.0.0.1"}
    assert most_at_once(events) == 1
    assert logged_errors(browser) == []


def test_a_videos_face_is_found(
    browser: Any, address: str, pictures: list[np.ndarray], tmp_path: Path
) -> None:
    write_video(tmp_path / "party.mp4", pictures * 5, 25.0)
    browser.get(address)
    find(browser, "input[type=file]").send_keys(str(tmp_path / "party.mp4"))
    wait_until(lambda: TOLD.fullmatch(said(browser)) is not None)
    assert hosts_asked(network_events(browser)) == {"127.0.0.1"}
    assert logged_errors(browser) == []


def test_what_is_no_video_is_said(browser: Any, address: str, tmp_path: Path) -> None:
    (tmp_path / "party.mp4").write_bytes(b"no video")
    browser.get(address)
    find(browser, "input[type=file]").send_keys(str(tmp_path / "party.mp4"))
    wait_until(lambda: said(browser).startswith("Stopped: "))


def test_a_session_lasts_as_long_as_its_page(browser: Any) -> None:
    from common.live.page import served  # an extra's

    sessions = Sessions(Counting())
    page = served("counting", sessions, "127.0.0.1", free_port())
    try:
        browser.get(page.local_url)
        click(browser, "[name=camera]")
        wait_until(lambda: TOLD.fullmatch(said(browser)) is not None)
        assert len(sessions) == 1
        browser.get("about:blank")
        wait_until(lambda: len(sessions) == 0)
    finally:
        page.close()
