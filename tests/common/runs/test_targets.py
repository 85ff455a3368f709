"""Recorded names of classes: those of before lead to the classes of today."""

import re

import hydra.utils
from builders.old_runs import OLD_TARGETS, todays
from builders.small_training import REPO_DIR

from common.runs.targets import with_todays_target

TARGETS_OF_TODAY = {
    target
    for path in [*(REPO_DIR / "conf").rglob("*.yaml"), REPO_DIR / "docs" / "models.md"]
    for target in re.findall(r"_target_[:=] ?((?:common|flame|gazepose)\.[\w.]+)", path.read_text())
}


def test_what_configs_named_is_still_there() -> None:
    assert all(callable(hydra.utils.get_object(todays(target))) for target in OLD_TARGETS)


def test_what_was_renamed_in_its_room_is_still_there() -> None:
    before = "gazepose.preprocessing.preparation.LamPreparation"
    assert todays(before) == todays("gazepose.preparation.LamPreparation") in TARGETS_OF_TODAY


def test_it_leads_to_the_very_names_of_todays_configs() -> None:
    # A run that goes on must record what the command of today says, to the letter.
    assert set(map(todays, OLD_TARGETS)) <= TARGETS_OF_TODAY


def test_what_is_nobodys_old_name_is_kept() -> None:
    assert {todays(target) for target in TARGETS_OF_TODAY} == TARGETS_OF_TODAY
    for call in ({}, {"_target_": None}, {"_target_": "print"}, {"_target_": "torch.optim.Adam"}):
        assert with_todays_target(call) == call
