"""One Weights & Biases run a job: its config from the start, its best checkpoint at the end."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from common.files.atomic import write_text_atomically

RECORD = "wandb_run.json"
# More than one start logs.
_STEPS_OF_A_START = 10_000_000


class WandbRunLogger(WandbLogger):
    """Lightning's logger, with what a study's jobs need beside it.

    The run begins with `log_hyperparams`, so that it knows its config from its first record on,
    offline too. Neither the mode nor the run outlives the job, whose process may go on with the
    next one of a sweep.

    Its name is the run folder's, which keeps its id: a start that goes on there goes on with the
    same W&B run. Offline each start writes files of its own, with its steps behind those of the
    earlier ones, so that ``wandb sync --append`` joins them.

    Args:
        save_dir: the run's folder.
        project: W&B's.
        name: of the W&B run; by default the folder's.
        offline: write files only, for ``wandb sync``.
        mode: ``online``, ``offline``, ``disabled``, or None: what the variable WANDB_MODE says.
        log_model: whether the best checkpoint becomes an artifact.
        group: of W&B runs, as is the next: a study.
        job_type: the study's row.
        init: further arguments of ``wandb.init``, as ``entity``.

    Raises:
        ValueError: If it is to be offline and not to be.
    """

    def __init__(
        self,
        *,
        save_dir: str,
        project: str,
        name: str | None = None,
        offline: bool = False,
        mode: str | None = None,
        log_model: bool = False,
        group: str | None = None,
        job_type: str | None = None,
        **init: Any,
    ) -> None:
        if offline and mode not in (None, "offline"):
            raise ValueError(
                f"logger.wandb.offline=true and logger.wandb.mode={mode}: give one of the two"
            )
        # Not Lightning's own `offline`, which sets WANDB_MODE for all that comes after, and not its
        # `log_model`, which is refused offline and gives two checkpoints the alias "best".
        mode = "offline" if offline else mode
        name = name or run_name(Path(save_dir))
        # Lightning's resume="allow" is warned of where there is nothing to go on with.
        init = {"resume": None, "group": group, "job_type": job_type, **init}
        self._record = Path(save_dir) / RECORD
        super().__init__(name=name, save_dir=save_dir, project=project, mode=mode, **init)
        self._takes_checkpoint = log_model
        self._is_open = False

    @rank_zero_only
    def log_hyperparams(self, params: Mapping[str, Any]) -> None:
        """Begin the W&B run with this config.

        Raises:
            ValueError: If W&B refuses, e.g. nobody is logged in; says what to type.
        """
        import wandb

        self._wandb_init["config"] = dict(params)
        before = self._earlier_starts()
        if before:
            self._wandb_init.update(id=before["id"], resume="allow")
        try:
            self._is_open = self.experiment is not None
        except wandb.Error as error:
            raise ValueError(
                f"W&B does not start: {str(error).rstrip('. ')}. Type `wandb login`, or "
                "logger.wandb.offline=true and later `wandb sync`, or logger.wandb.mode=disabled"
            ) from error
        self._remember(before.get("num_starts", 0))

    def _earlier_starts(self) -> dict[str, Any]:
        """Return id and number of starts of the W&B run that goes on; empty of a new one."""
        if self._wandb_init.get("id") or not self._record.is_file():
            return {}
        record: dict[str, Any] = json.loads(self._record.read_text())
        return record

    def _remember(self, num_earlier: int) -> None:
        run = self.experiment
        if run.disabled:
            return
        record = {"id": run.id, "num_starts": num_earlier + 1}
        write_text_atomically(self._record, json.dumps(record) + "\n")
        if run.offline and num_earlier:
            # W&B counts an offline run's steps from 0, and joins only what lies behind.
            run.log({}, step=num_earlier * _STEPS_OF_A_START)

    @rank_zero_only
    def log_checkpoint(self, path: Path, metadata: Mapping[str, Any]) -> None:
        """Make a checkpoint the run's model artifact, with its metrics, if that was asked for."""
        if not self._takes_checkpoint:
            return
        import wandb

        name = f"model-{self.experiment.id}"
        artifact = wandb.Artifact(name, type="model", metadata=dict(metadata))
        # The run's own checkpoint stays where it is: no copy of it is needed.
        artifact.add_file(str(path), name=path.name, policy="immutable")
        self.experiment.log_artifact(artifact, aliases=["best"])

    @rank_zero_only
    def finish(self, status: str, metrics: Mapping[str, float]) -> None:
        """Close the W&B run with its metrics; other than ``finished`` is an exit code of 1."""
        if not self._is_open:
            return
        self.experiment.summary.update({**metrics, "status": status})
        self.experiment.finish(exit_code=0 if status == "finished" else 1)
        self._is_open = False


def run_name(run_dir: Path) -> str:
    """Return what to call a run: its folder's name, behind the sweep's where that is a number."""
    folder = run_dir.resolve()
    return f"{folder.parent.name}_{folder.name}" if folder.name.isdigit() else folder.name
