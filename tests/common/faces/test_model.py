"""MediaPipe's file of models comes once, whole, and from nowhere but where it is asked of."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from builders.mediapipe_release import install_without_solutions

from common.faces.mediapipe import model
from common.faces.mediapipe.model import face_model, keep_face_model

CONTENT = bytes(range(256)) * 300


class Server:
    """Answers on this machine with some content, and counts how often it is asked."""

    def __init__(self) -> None:
        self.content, self.num_asked = CONTENT, 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.num_asked += 1
                self.send_response(200)
                # Also of a content that is cut short.
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                self.wfile.write(server.content)

            def log_message(self, *_arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/face_landmarker.task"


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    thread = Thread(target=served.http.serve_forever)
    thread.start()
    yield served
    served.http.shutdown()
    served.http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The cache folder, for a smaller file than MediaPipe's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(model, "SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(model, "NUM_BYTES", len(CONTENT))
    return tmp_path / "cache" / "gaze-suite"


def test_it_is_fetched_once_by_whoever_comes_first(server: Server, cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(face_model, [server.url] * 8))
    assert paths == {cache / "face_landmarker.task"}
    assert paths.pop().read_bytes() == CONTENT
    assert server.num_asked == 1
    assert [path.name for path in cache.iterdir()] == ["face_landmarker.task"]


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[::-1], b""])
def test_what_is_cut_short_or_another_file_is_not_kept(
    server: Server, cache: Path, content: bytes
) -> None:
    server.content = content
    with pytest.raises(ValueError, match=rf"SHA-256 {model.SHA256}: got {len(content)} bytes"):
        face_model(server.url)
    assert list(cache.iterdir()) == []


def test_a_damaged_file_is_fetched_again(server: Server, cache: Path) -> None:
    face_model(server.url).write_bytes(CONTENT[:100])
    assert face_model(server.url).read_bytes() == CONTENT
    assert server.num_asked == 2


def test_where_nothing_answers_it_is_said_what_to_type(cache: Path, tmp_path: Path) -> None:
    nowhere = (tmp_path / "nowhere").as_uri()
    with pytest.raises(ValueError, match=rf"not at {cache}.*from {nowhere}.*faces\.model=PATH"):
        face_model(nowhere)


def test_a_cache_that_cannot_be_written_is_a_users_error(server: Server, cache: Path) -> None:
    cache.parent.touch()
    with pytest.raises(ValueError, match=r"not at .* \(NotADirectoryError"):
        face_model(server.url)


def test_a_copy_takes_the_place_of_the_network(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path
) -> None:
    install_without_solutions(monkeypatch, tmp_path)
    keep_face_model(None)
    assert not cache.exists()
    copy = tmp_path / "my copy.task"
    for _ in range(2):  # also where it is kept already
        with pytest.raises(ValueError, match=r"faces\.model=.*my copy\.task is not there"):
            keep_face_model(str(copy))
        copy.write_bytes(CONTENT[1:])
        with pytest.raises(ValueError, match=r"my copy\.task is not MediaPipe's face model"):
            keep_face_model(str(copy))
        copy.write_bytes(CONTENT)
        keep_face_model(str(copy))
        copy.unlink()
        assert face_model("file:///nowhere").read_bytes() == CONTENT


def test_a_copy_without_use_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, cache: Path
) -> None:
    monkeypatch.setattr(model, "has_solutions", lambda: True)
    keep_face_model("copy.task")
    assert "faces.model=copy.task is not used" in caplog.text
    assert not cache.exists()
