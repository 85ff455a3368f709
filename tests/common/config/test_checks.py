"""Checks across data sets."""

import pytest

from common.config.checks import (
    check_conventions,
    check_inputs,
    check_line,
    check_resumed_data,
    check_resumed_net,
    check_same_split,
    warn_of_other_mesh,
)


def fingerprint(name: str, convention: str, **recipe: str) -> dict[str, object]:
    return {"name": name, "recipe": {"gaze_convention": convention, **recipe}}


def test_the_same_convention_passes() -> None:
    check_conventions(fingerprint("a", "x"), fingerprint("b", "x"), allow=False)


def test_another_convention_is_refused_with_the_switch() -> None:
    with pytest.raises(ValueError, match=r"a .*'x', b .*'y'.*allow_other_convention=true"):
        check_conventions(fingerprint("a", "x"), fingerprint("b", "y"), allow=False)


def test_another_convention_passes_when_allowed() -> None:
    check_conventions(fingerprint("a", "x"), fingerprint("b", "y"), allow=True)


def test_another_frame_is_refused_whatever_the_convention() -> None:
    camera, normalised = fingerprint("a", "x"), fingerprint("b", "x", gaze_frame="normalised")
    # What does not say is from before there were two: of the camera's.
    check_conventions(camera, fingerprint("c", "x", gaze_frame="camera"), allow=False)
    check_conventions(normalised, normalised, allow=False)
    check_conventions(camera, normalised, allow=True)
    expected = "a .*camera .*, b .*normalised .*allow_other_convention=true"
    with pytest.raises(ValueError, match=expected):
        check_conventions(camera, normalised, allow=False)
    with pytest.raises(ValueError, match=r"normalised .*layout .*camera"):
        check_conventions(normalised, fingerprint("layout", "flame_layout"), allow=False)


def test_a_layout_that_states_no_convention_passes_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    check_conventions(fingerprint("a", "x"), fingerprint("b", "flame_layout"), allow=False)
    (said,) = caplog.messages
    assert said.startswith("b ")
    assert "'x'" in said


def test_another_definition_of_the_meshs_head_pose_is_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    old, new = {"head_pose": "mesh"}, {"head_pose": "mesh", "mesh_head_pose": "new"}
    for trained, now in ((old, old), (new, new), ({"head_pose": "dataset"}, new), ({}, new)):
        warn_of_other_mesh(trained, now)
    assert not caplog.messages
    trained, tested = fingerprint("a", "x", **old), fingerprint("b", "x", **new)
    check_conventions(trained, tested, allow=False)
    check_conventions(trained, tested, allow=True)
    assert len(caplog.messages) == 2
    assert all("None" in said and "'new'" in said for said in caplog.messages)


def split_fingerprint(name: str, split: str, table: str = "t") -> dict[str, object]:
    return {**fingerprint(name, "x"), "split": split, "table_sha256": table}


def test_the_same_data_divided_otherwise_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'s' of a, .*'r'.*data=\.\.\."):
        check_same_split(split_fingerprint("a", "s"), split_fingerprint("a", "r"))


def test_other_data_may_be_divided_otherwise() -> None:
    check_same_split(split_fingerprint("a", "s"), split_fingerprint("b", "r"))


def test_two_folds_of_one_division_are_two_splits():
    folds = [{**split_fingerprint("a", "s"), "split_source": f"fold {n}"} for n in (0, 1)]
    with pytest.raises(ValueError, match=r"'s' \(fold 0\).*'s' \(fold 1\)"):
        check_same_split(*folds)
    with pytest.raises(ValueError, match=r"RUN .*\(split "):
        check_resumed_data(*folds, "RUN")
    # Runs of before say no more than the name.
    for old in (split_fingerprint("a", "s"), folds[1]):
        check_same_split(old, folds[1])
        check_resumed_data(old, folds[1], "RUN")


def test_a_resumed_run_keeps_its_data() -> None:
    before = split_fingerprint("a", "s", "t1")
    check_resumed_data(before, dict(before), "RUN")
    with pytest.raises(ValueError, match=r"RUN .*\(table_sha256 .*ckpt_path"):
        check_resumed_data(before, split_fingerprint("a", "s", "t2"), "RUN")


def test_priors_and_dropout_are_refused_where_they_change_nothing() -> None:
    gazelstm = {"name": "gazelstm", "inputs": {"dropout": {"kind": "none"}}}
    check_inputs(gazelstm, {"priors": None, "dropout": {"kind": "uniform"}})
    with pytest.raises(ValueError, match=r"gazelstm .*priors=$"):
        check_inputs(gazelstm, {"priors": {"head": True}, "dropout": None})
    with pytest.raises(ValueError, match=r"flame .*priors= dropout=$"):
        check_inputs({"name": "flame", "inputs": {}}, {"priors": {}, "dropout": {}})


def test_a_model_is_refused_on_data_of_the_other_line() -> None:
    model = {"name": "gazepose", "line": "eye_contact"}
    check_line(model, {"name": "ego4d", "line": "eye_contact"})
    with pytest.raises(ValueError, match=r"gazepose .*eye_contact, data=eyediap .*gaze_angle"):
        check_line(model, {"name": "eyediap", "line": "gaze_angle"})


def test_a_run_of_another_net_is_not_gone_on_with() -> None:
    before = {"model": {"name": "flame", "net": {"width": 64}}}
    check_resumed_net(before, before, "RUN")
    with pytest.raises(ValueError, match=r"RUN .*model=flame, .*model=flame_b"):
        check_resumed_net(before, {"model": {"name": "flame_b", "net": {"width": 64}}}, "RUN")
    with pytest.raises(ValueError, match=r"model\.net .*64.*32"):
        check_resumed_net(before, {"model": {"name": "flame", "net": {"width": 32}}}, "RUN")
