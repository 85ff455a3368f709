"""Cameras answered frame by frame: order, what is kept and for how long."""

import gc
import threading
import weakref

import numpy as np
import pytest
from builders.counting_faces import Counting

from common.live.session import Session, Sessions


def picture(value: int = 0) -> np.ndarray:
    return np.full((4, 5, 3), value, np.uint8)


def tracks(sessions: Sessions, *names: str) -> list[str]:
    answers = [sessions.answer(name, picture()) for name in names]
    return ["none" if answer is None else answer[0][0].track_id for answer in answers]


def begun(*names: str) -> Sessions:
    sessions = Sessions(Counting())
    for name in names:
        sessions.begin(name)
    return sessions


def test_each_frame_is_answered_before_the_next_and_drawn_on_a_copy() -> None:
    session, image = Session(Counting()), picture(9)
    answers = [session.answer(image) for _ in range(3)]
    assert [faces[0].track_id for faces, _ in answers] == ["0", "1", "2"]
    assert answers[0][1][0, 0].tolist() == [7, 7, 7]
    assert (image == 9).all()


def test_sessions_know_nothing_of_each_other() -> None:
    sessions = begun("a", "b")
    assert tracks(sessions, "a", "a", "b", "a") == ["0", "1", "0", "2"]
    first = sessions.answer("a", picture(), is_first=True)
    assert first is not None
    assert first[0][0].track_id == "0"
    assert tracks(sessions, "a", "b") == ["1", "1"]


def test_what_was_on_its_way_when_a_page_was_closed_brings_nothing_back() -> None:
    sessions = begun("a", "b")
    sessions.end("a")
    sessions.end("unknown")
    assert sessions.answer("a", picture(), is_first=True) is None
    assert tracks(sessions, "a", "b") == ["none", "0"]
    assert len(sessions) == 1


def test_only_so_many_sessions_are_kept_those_last_heard_of() -> None:
    names = [str(number) for number in range(17)]
    sessions = begun(*names[:16])
    tracks(sessions, "0")
    sessions.begin("16")
    assert len(sessions) == 16
    assert tracks(sessions, "0", "1", "16") == ["1", "none", "0"]


def test_a_session_that_failed_begins_anew() -> None:
    sessions = begun("a")
    tracks(sessions, "a", "a")
    with pytest.raises(RuntimeError, match="too bright"):
        sessions.answer("a", picture(255))
    assert tracks(sessions, "a") == ["0"]


def test_frames_of_many_threads_are_answered_one_at_a_time() -> None:
    sessions, found = begun("one"), []

    def camera() -> None:
        found.extend(tracks(sessions, *["one"] * 50))

    threads = [threading.Thread(target=camera) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, found)) == list(range(200))


def test_no_frame_is_kept_once_the_next_is_answered() -> None:
    session = Session(Counting())
    frames = []
    for _ in range(20):
        image = picture()
        frames.append(weakref.ref(image))
        session.answer(image)
    del image
    gc.collect()
    assert sum(frame() is not None for frame in frames) <= 1
