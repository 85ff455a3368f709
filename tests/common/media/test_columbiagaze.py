"""What the names of Columbia Gaze's photos say."""

import pytest

from common.media.columbiagaze import ColumbiaLabel, parse_name


@pytest.mark.parametrize(
    ("stem", "label"),
    [
        ("0001_2m_-15P_10V_-5H", ColumbiaLabel(-15, 10, -5, 2, "0001")),
        ("0056_2m_0P_0V_15H", ColumbiaLabel(0, 0, 15, 2, "0056")),
        ("0001_2m_+5P_0V_0H", None),
        ("0001_2m_0P_0V_0H_copy", None),
    ],
)
def test_parse_name(stem: str, label: ColumbiaLabel | None) -> None:
    assert parse_name(stem) == label


@pytest.mark.parametrize(
    ("stem", "looks"),
    [
        ("0001_2m_0P_0V_0H", True),
        ("0001_2m_-30P_0V_0H", True),
        ("0001_2m_0P_10V_0H", False),
        ("0001_2m_0P_0V_-5H", False),
    ],
)
def test_whoever_aims_at_the_camera_looks_at_it_however_the_head_is_turned(
    stem: str, looks: bool
) -> None:
    label = parse_name(stem)
    assert label is not None
    assert label.looks_at_camera is looks
