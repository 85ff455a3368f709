"""What ``predict.py split=`` does: a trained net on a part of a data set."""

from typing import Any

from common.config.checks import (
    check_conventions,
    check_line,
    check_precision,
    check_same_split,
)
from common.config.instantiate import build
from common.config.plain import Config
from common.prediction.changes import other_dropout, output_dir
from common.prediction.trained import Trained
from common.runs.run import build_data, test
from common.store.reading import EmptyStoreError


def run_split_test(config: Config, trained: Trained, calibration: Config) -> str:
    """Test a net on ``split=`` of its own data, or of those that the command names.

    Args:
        config: the command's.
        trained: the net.
        calibration: of each person's own samples; empty for none.

    Returns:
        The metrics, and where the files are.

    Raises:
        ValueError: If the data do not fit the net, or there are none.
    """
    data_config = config["data"] or trained.config["data"]
    if data_config is None:
        raise ValueError(f"which data? Give data=NAME for split={config['split']}")
    check_line(trained.config["model"], data_config)
    if "results" not in trained.config["model"]["callbacks"]:
        raise ValueError(
            f"{trained.checkpoint} is of {trained.config['model']['name']}, which others start "
            "from and which writes no files of a test: its errors are in its run.json. Type "
            f"train.py model=... model.init_checkpoint={trained.checkpoint}"
        )
    datamodule = _datamodule(config, trained, data_config)
    tested = datamodule.fingerprint()
    check_conventions(trained.data, tested, config["allow_other_convention"])
    check_same_split(trained.data, tested)
    tested_part = f"{datamodule.name}_{config['split']}{_stride(config, trained, data_config)}"
    folder = output_dir(config, trained.folder, tested_part)
    changes = dict(config["results"])
    if calibration:
        how = {"repeats": config["calibration"]["repeats"], "seed": config["seed"]}
        changes["calibration"] = {**calibration, **how, "run": str(trained.folder)}
    results = build(
        trained.config["model"]["callbacks"]["results"],
        output_dir=str(folder),
        trained_on=trained.trained_on,
        chosen_by=trained.chosen_by,
        **changes,
    )
    precision = _precision(config, trained)
    if calibration:
        validation = _validation(config, trained, data_config)
        test(trained.module, validation, [], precision)
        results.learn_people(trained.module.outputs, validation.table)
    metrics = test(trained.module, datamodule, [results], precision)
    numbers = ", ".join(f"{name} {value:.4f}" for name, value in sorted(metrics.items()))
    return f"{numbers or 'no labels, so no metric'} -> {folder}"


def _datamodule(config: Config, trained: Trained, data_config: Config) -> Any:
    changes = config["datamodule"]
    if "test_part" in changes:
        raise ValueError(
            f"datamodule={{test_part:{changes['test_part']}}} is not what chooses the part: type "
            f"split={changes['test_part']}"
        )
    asked = {**trained.config, "data": data_config}
    try:
        return build_data(asked, test_part=config["split"], **other_dropout(config), **changes)
    except EmptyStoreError as error:
        raise ValueError(f"{error}; if it lies elsewhere: datamodule.store_dir=FOLDER") from error


def _validation(config: Config, trained: Trained, data_config: Config) -> Any:
    """Return the data that the run was validated on, of whatever data its test is."""
    own = trained.config["data"]
    changes = config["datamodule"] if own is data_config else {}
    try:
        return build_data(trained.config, test_part="val", **changes)
    except EmptyStoreError as error:
        raise ValueError(
            f"{error}: calibration= learns how people differ from those the run was validated on, "
            "so its own store must be there, too"
        ) from error


def _precision(config: Config, trained: Trained) -> str:
    """Return the precision of a test: as the command asks, else the run's own."""
    asked = config["trainer"]["precision"] or trained.config["trainer"]["precision"]
    check_precision({"precision": asked})
    return asked or "32-true"


def _stride(config: Config, trained: Trained, data_config: Config) -> str:
    """Return a part's stride as part of a folder's name, where it is not known to be the run's.

    Of an original's checkpoint no stride is known; data without strides have none to name.
    """
    key = f"{config['split']}_stride"
    asked = data_config["datamodule"].get(key)
    own = None if config["run"] is None else trained.config["data"]["datamodule"].get(key)
    return "" if asked in (own, None) or key in config["datamodule"] else f"_stride-{asked}"
