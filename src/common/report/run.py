"""What the report knows of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.files.form import ANY, NUMBER, PLAIN, TEXT, WHOLE, Each, Maybe

NO_RUN = "no run"
NOT_RECORDED = "not recorded"
_GROUP = Maybe(Each(ANY))
# Of what the report reads of a run.json.
RUN_FORM = {
    "status": TEXT,
    "starts": Maybe([{"time": TEXT, "command": [TEXT]}]),
    "choices": _GROUP,
    "config": Maybe(
        {
            "seed": Maybe(WHOLE),
            "ablation": Maybe(TEXT),
            "optimized_metric": Maybe(TEXT),
            "study": Maybe(
                {
                    **{"name": TEXT, "title": TEXT, "published": Maybe(TEXT)},
                    **{"rows": Each(PLAIN), "seeds": [WHOLE]},
                }
            ),
            "data": Maybe({"name": Maybe(TEXT)}),
            "model": Maybe(
                {
                    **{"name": Maybe(TEXT), "width": Maybe(NUMBER)},
                    **{"backbone": _GROUP, "transformer": _GROUP},
                }
            ),
            **dict.fromkeys(("priors", "dropout", "trainer", "callbacks"), _GROUP),
        }
    ),
    "data": Maybe(
        {
            **{"name": Maybe(TEXT), "split": Maybe(TEXT), "num_samples": _GROUP},
            "recipe": Maybe({"gaze_convention": Maybe(TEXT)}),
        }
    ),
    "git": Maybe({"commit": Maybe(TEXT)}),
    **dict.fromkeys(("weights", "versions"), _GROUP),
    "machine": Maybe({"devices": Maybe([TEXT])}),
    "ablation_changes": Maybe([TEXT]),
}
# What conf/extras and conf/augmentation switch on, by what tables call it: a config's key that only
# such runs have.
EXTRAS = {
    "EMA": "callbacks.weight_average.decay",
    "early stopping": "callbacks.early_stopping.patience",
    "accumulated batches": "trainer.accumulate_grad_batches",
    "augmentation": "data.datamodule.augmentation._target_",
    "photometric": "data.datamodule.photometric.strength",
    "max_shift": "data.datamodule.max_shift",
    "max_zoom": "data.datamodule.max_zoom",
    "least_width_px": "data.datamodule.least_width_px",
}


@dataclass(frozen=True)
class Run:
    """A run, finished or not.

    Attributes:
        number: 1, 2, ... by time of the first start; what tables and figures call it.
        name: its folder below the folder of runs.
        folder: where it lies.
        snapshot: its run.json; empty for tests of an original's checkpoint, which has no run.
        num_epochs: trained so far; None without a csv log.
        val_curve: the optimised metric (of validation) by epoch, over all starts.
    """

    number: int
    name: str
    folder: Path
    snapshot: Mapping[str, Any]
    num_epochs: int | None
    val_curve: Mapping[int, float]

    @property
    def status(self) -> str:
        """``finished``, ``failed``, ``interrupted``, ``running`` (or killed), ``no run``."""
        return str(self.snapshot.get("status", NO_RUN))

    @property
    def metric(self) -> str | None:
        """The optimised metric; None where there is no readable run.json."""
        return self.setting("config.optimized_metric")

    @property
    def epochs_text(self) -> str:
        """Trained / planned epochs, e.g. ``37/201``."""
        planned = self.setting("config.trainer.max_epochs")
        trained = text_or_dash(self.num_epochs)
        return f"{trained}/{planned}" if planned is not None else trained

    @property
    def extras(self) -> dict[str, Any]:
        """Values of `EXTRAS`; None of what was off."""
        found = {name: self.setting(f"config.{key}") for name, key in EXTRAS.items()}
        # Of a class its name.
        return {k: v.rpartition(".")[2] if isinstance(v, str) else v for k, v in found.items()}

    def setting(self, path: str) -> Any:
        """Return an entry of run.json by its dotted path, e.g. ``config.seed``; None if absent."""
        return lookup(self.snapshot, path)

    def setting_text(self, path: str) -> str:
        """Return an entry of run.json as text; a dash if it is absent."""
        return text_or_dash(self.setting(path))


def lookup(values: Any, path: str) -> Any:
    """Return an entry of nested mappings by its dotted path; None if absent."""
    for key in path.split("."):
        if not isinstance(values, Mapping):
            return None
        values = values.get(key)
    return values


def text_or_dash(value: Any) -> str:
    """Return a value as text; a dash if there is none."""
    return "-" if value is None else str(value)
