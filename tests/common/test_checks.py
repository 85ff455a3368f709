"""Checks across data sets."""

from __future__ import annotations

import pytest

from common.checks import check_conventions


def fingerprint(name: str, convention: str) -> dict[str, object]:
    return {"name": name, "recipe": {"gaze_convention": convention}}


def test_the_same_convention_passes() -> None:
    check_conventions(fingerprint("a", "x"), fingerprint("b", "x"), allow=False)


def test_another_convention_is_refused_with_the_switch() -> None:
    with pytest.raises(
        ValueError, match=r"a defines gaze as 'x', b as 'y'.*allow_other_convention=true"
    ):
        check_conventions(fingerprint("a", "x"), fingerprint("b", "y"), allow=False)


def test_another_convention_passes_when_allowed() -> None:
    check_conventions(fingerprint("a", "x"), fingerprint("b", "y"), allow=True)


def test_an_originals_checkpoint_states_no_convention() -> None:
    check_conventions({}, fingerprint("b", "y"), allow=False)
