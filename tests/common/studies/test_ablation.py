"""The check of a row: what would undo it or changes nothing is refused, debug has the last word."""

from pathlib import Path

import pytest
from builders.study_configs import ON_GAZEPOSE, config_of, running
from hydra.errors import ConfigCompositionException

from common.studies.ablation import check_ablation, check_changes


def refused(*typed: str) -> str:
    """Say why a command is refused."""
    with running(*typed) as config, pytest.raises(ValueError, match="row ") as error:
        check_ablation(config)
    return str(error.value)


def own_conf(tmp_path: Path, **files: str) -> str:
    """Files ``group__name`` of a user's own; returns the override that finds them."""
    for name, text in files.items():
        path = tmp_path / "conf" / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# @package _global_\n{text}\n")
    return f"hydra.searchpath=[{tmp_path / 'conf'}]"


@pytest.mark.parametrize(
    ("row", "typed", "said"),
    [
        ("spatial_head", "priors=none", "priors=head"),
        ("spatial_head", "priors.head=false", "priors.head=True"),
        ("spatial_head", "priors={landmarks:true}", "priors.landmarks=False"),
        ("split_5", "priors.split=1.0", "priors.split=5.0"),
        ("temporal_none", "dropout.kind=gaussian", "dropout.kind=none"),
        ("spatial_off", "model=gazepose", "model=gazepose_lstm"),
    ],
)
def test_what_would_undo_a_row_is_refused(row: str, typed: str, said: str) -> None:
    reason = refused("data=ego4d", f"ablations={row}", "model=gazepose", typed)
    assert all(fact in reason for fact in (f"row {row} ", said, typed))


def test_what_a_row_does_not_set_may_be_typed() -> None:
    allowed = ["priors.mirror=true", "model.learning_rate=1e-3", "dropout=none", "priors=head"]
    with running(*ON_GAZEPOSE, "ablations=spatial_head", *allowed) as config:
        assert check_ablation(config)
    allowed = ["model.init_checkpoint=x.pth", "data.datamodule.num_workers=0"]
    with running("data=ego4d", "ablations=gazelstm", *allowed) as config:
        check_ablation(config)


@pytest.mark.parametrize(
    ("row", "typed"), [("split_5", "priors.split=5.0"), ("temporal_none", "dropout=none")]
)
def test_what_a_row_sets_may_be_said_again(row: str, typed: str) -> None:
    with running(*ON_GAZEPOSE, f"ablations={row}") as config:
        changed = check_ablation(config)
    with running(*ON_GAZEPOSE, f"ablations={row}", typed) as config:
        assert check_ablation(config) == changed


@pytest.mark.parametrize(
    "text",
    [
        "priors:\n  split: 1.0\nablation: idle",
        "defaults:\n  - override /priors: all\nablation: idle",
    ],
)
def test_a_row_that_changes_nothing_is_refused(tmp_path: Path, text: str) -> None:
    own = own_conf(tmp_path, ablations__idle=text)
    assert "row idle changes nothing" in refused(*ON_GAZEPOSE, own, "ablations=idle")


def test_a_row_may_stand_on_another(tmp_path: Path) -> None:
    text = "defaults:\n  - split_5\n  - _self_\npriors:\n  mirror: true\nablation: mine"
    typed = [*ON_GAZEPOSE, own_conf(tmp_path, ablations__mine=text), "ablations=mine"]
    with running(*typed) as config:
        assert set(check_ablation(config) or ()) >= {"priors.split", "priors.mirror"}
    undone = refused(*typed, "priors.split=1.0")
    assert "row mine sets priors.split=5.0; priors.split=1.0 " in undone


def test_a_row_in_a_package_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_conf(tmp_path, ablations__mine="priors:\n  split: 2.0\nablation: mine")
    (tmp_path / "conf").rename(tmp_path / "my_rows")
    (tmp_path / "my_rows" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    typed = [*ON_GAZEPOSE, "hydra.searchpath=[pkg://my_rows]", "ablations=mine", "priors.split=3.0"]
    reason = refused(*typed)
    assert all(fact in reason for fact in ("row mine ", "priors.split=2.0", "priors.split=3.0"))


def test_a_reference_that_changes_something_is_refused() -> None:
    reference = {**config_of("sweeps=table1", "ablations=gazelstm"), "is_reference": True}
    with pytest.raises(ValueError, match=r"row gazelstm .*dropout"):
        check_changes(reference, config_of("sweeps=table1"))


def test_a_row_may_choose_what_the_command_leaves_open() -> None:
    with running("data=ego4d", "ablations=spatial_off") as config:
        check_ablation(config)
    with running("data=ego4d", "ablations=gazepose") as config:
        check_ablation(config)


def test_a_row_without_its_name_is_refused(tmp_path: Path) -> None:
    own = own_conf(tmp_path, ablations__mine="priors:\n  split: 2.0")
    assert "`ablation: NAME`" in refused(*ON_GAZEPOSE, own, "ablations=mine")
    assert "ablations=NAME" in refused(*ON_GAZEPOSE, "ablation=spatial_head")


# A study of a user's own, whose rows are options of a group.
OWN_STUDY = (
    "defaults:\n  - jobs\n  - _self_\n  - override /data: ego4d\n  - override /model: gazepose\n"
    "ablation: mine\nhydra:\n  sweeper:\n    params:\n      priors: all,head\n      seed: 0\n"
    "study:\n  name: mine\n  title: mine\n  rows:\n    mine: mine"
)


def test_what_would_undo_a_row_of_options_is_refused(tmp_path: Path) -> None:
    own = own_conf(tmp_path, sweeps__mine=OWN_STUDY)
    reason = refused(own, "sweeps=mine", "priors=head", "priors.head=false")
    assert all(fact in reason for fact in ("row mine ", "priors.head=True", "priors.head=false"))


def test_a_row_of_options_that_changes_nothing_is_refused() -> None:
    typed = ["sweeps=flame_table", "model=flame", "data=columbiagaze", "is_reference=false"]
    assert "row flame_columbiagaze changes nothing" in refused(*typed)
    other = ["sweeps=flame_table", "model=flame_b", "data=columbiagaze", "is_reference=true"]
    reason = refused(*other)
    assert all(fact in reason for fact in ("row flame_b_columbiagaze ", "model.name"))


def test_a_row_of_options_has_the_name_that_its_study_gives_it() -> None:
    typed = ["sweeps=flame_table", "model=flame", "data=eyediap", "ablation=flame_b_eyediap"]
    assert "flame_b_eyediap" in refused(*typed)


def test_a_row_wins_over_an_experiment_and_the_models_defaults(tmp_path: Path) -> None:
    own = own_conf(
        tmp_path,
        experiment__theirs="defaults:\n  - override /priors: none\n  - override /dropout: none\n"
        "priors:\n  split: 9.0",
    )
    row = "ablations=spatial_head"
    with running(*ON_GAZEPOSE, own, row, "experiment=theirs") as config:
        check_ablation(config)
        assert (config["priors"]["head"], config["dropout"]["kind"]) == (True, "none")
    with running(*ON_GAZEPOSE, own, "ablations=split_5", "experiment=theirs") as config:
        assert config["priors"]["split"] == 5.0


def test_an_experiment_that_undoes_a_rows_choice_by_a_value_is_refused(tmp_path: Path) -> None:
    own = own_conf(tmp_path, experiment__theirs="priors:\n  landmarks: true")
    reason = refused(*ON_GAZEPOSE, own, "ablations=spatial_head", "experiment=theirs")
    assert all(fact in reason for fact in ("priors.landmarks=False", "True", "experiment"))


def test_debug_has_the_last_word(tmp_path: Path) -> None:
    own = own_conf(tmp_path, debug__theirs="priors:\n  split: 2.0")
    with running(*ON_GAZEPOSE, own, "ablations=split_5", "debug=theirs") as config:
        check_ablation(config)
        assert config["priors"]["split"] == 2.0


@pytest.mark.parametrize(
    ("group", "text", "misspelt"),
    [
        ("ablations", "ablation: mine\npriors:\n  head_poze: false", "head_poze"),
        ("ablations", "defaults:\n  - override /prior: head\nablation: mine", "prior"),
        ("sweeps", "study:\n  tilte: mine", "tilte"),
        ("sweeps", "study:\n  seeds: [first]", "first"),
    ],
)
def test_a_misspelt_key_of_a_row_or_study_is_an_error(
    tmp_path: Path, group: str, text: str, misspelt: str
) -> None:
    own = own_conf(tmp_path, **{f"{group}__mine": text})
    with (
        pytest.raises(ConfigCompositionException, match=misspelt),
        running(*ON_GAZEPOSE, own, f"{group}=mine"),
    ):
        pass
