import os

from common.faces.mediapipe.native_stderr import silence_native_stderr


def test_descriptor_2_is_silent_inside_and_restored_after(capfd):
    os.write(2, b"before\n")
    with silence_native_stderr():
        os.write(2, b"native noise\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_it_is_restored_after_an_error(capfd):
    try:
        with silence_native_stderr():
            raise RuntimeError
    except RuntimeError:
        os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"


def test_no_descriptor_leaks():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with silence_native_stderr():
            pass
    assert len(os.listdir("/proc/self/fd")) == before
