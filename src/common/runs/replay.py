"""Run a run again from its run.json, and say whether the numbers came out the same.

The recorded, resolved config runs, not today's YAML files. Only places may differ: run folder,
store, weights to start from, device. A resumed run is run in one go, from its first start.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.config.plain import Config, with_moved_places
from common.files.form import ANY, TEXT, Each, Maybe, check_form
from common.runs.admission import check_recorded, parts_of_run
from common.runs.claim import claimed
from common.runs.places import with_found_store
from common.runs.run import build_data, fit_and_test
from common.runs.settings import said, short
from common.runs.snapshot import FILE_NAME, add_to_snapshot, read_snapshot, software, weights_of
from common.training.distributed import is_first_process

LOG = logging.getLogger(__name__)
_GROUP = Each(ANY)
_LAST = "a replay has the last ones throughout"
# Of what a replay reads of a run.json.
_FORM = {
    **{"starts": [_GROUP], "choices": _GROUP, "data": _GROUP, "versions": _GROUP},
    "git": Maybe({"commit": Maybe(TEXT), "changes": Maybe(TEXT)}),
    "config": {
        **{"paths": {"run_dir": TEXT}, "model": {"inputs": _GROUP}, "trainer": _GROUP},
        **{"data": {"datamodule": _GROUP}, "callbacks": ANY, "logger": ANY},
    },
}


def config_name(arguments: Sequence[str]) -> str:
    """Return which file of conf/ a command line of train.py starts from."""
    return "replay" if any(typed.startswith("replay=") for typed in arguments) else "train"


def replayed_config(asked: Config) -> dict[str, Any]:
    """Return the config that runs a run again.

    Args:
        asked: the resolved config of ``conf/replay.yaml``.

    Raises:
        ValueError: If there is no such run, it does not record all of it, has no such place as is
            given, or names what is not there or may not be built.
    """
    run = Path(asked["replay"])
    recorded = read_snapshot(run)
    check_form(recorded, _FORM, str(run / FILE_NAME))
    config = with_found_store(run, recorded)
    moved = {config["paths"]["run_dir"]: asked["paths"]["run_dir"]}
    moved |= _moved_place(config, asked, "data", "store_dir")
    moved |= _moved_place(config, asked, "model", "init_checkpoint")
    config = with_moved_places(config, moved)
    new_dir = Path(asked["paths"]["run_dir"])
    parts = parts_of_run(config)
    check_recorded(run, config, parts, trusted=asked["trusted"], writes_to=new_dir)
    first_start: Config = next(iter(recorded["starts"]), {})
    return {
        **config,
        "replay": asked["replay"],
        # A run that was resumed had its own last.ckpt in the end.
        "ckpt_path": asked["ckpt_path"] or first_start.get("ckpt_path"),
        "trainer": config["trainer"] | _given(asked["trainer"]),
    }


def replay(config: Config, asked: Config) -> dict[str, float]:
    """Run a run again and record how the metrics compare, as ``replay_of`` of the new run.json.

    Returns:
        All metrics by name.

    Raises:
        ValueError: If code, versions, data or weights differ and that is not allowed.
    """
    recorded = read_snapshot(Path(asked["replay"]))
    run_dir = Path(config["paths"]["run_dir"])
    found = _checked(recorded, config, run_dir, asked)
    with claimed(run_dir):
        metrics = fit_and_test(config, recorded["choices"], run_dir)
    if not is_first_process():
        return metrics
    outcome = compared(recorded["metrics"], metrics)
    entry = {
        "run": str(Path(asked["replay"]).absolute()),
        "differences": found,
        "changed": _given(asked["trainer"]),
    }
    add_to_snapshot(run_dir, replay_of=entry | outcome)
    _say(asked["replay"], outcome)
    return metrics


def compared(recorded: Mapping[str, float], now: Mapping[str, float]) -> dict[str, Any]:
    """Return whether two runs' metrics are equal to the last bit, and which differ by how much.

    Returns:
        ``equal``, and ``metrics``: of every metric that differs, ``recorded``, ``now`` and
        ``difference``; None where one of them has no such metric.
    """
    pairs = {name: (recorded.get(name), now.get(name)) for name in sorted({*recorded, *now})}
    apart = {
        name: {
            "recorded": before,
            "now": after,
            "difference": None if before is None or after is None else after - before,
        }
        for name, (before, after) in pairs.items()
        if before != after and str(before) != str(after)  # undefined ones are equal
    }
    return {"equal": not apart, "metrics": apart}


def differences(recorded: Config, now: Config) -> list[str]:
    """Return what would keep a replay from being the recorded run, one sentence each.

    Another commit with the same code is none, nor is another machine.

    Args:
        recorded: the run's snapshot.
        now: ``git``, ``code_sha256``, ``versions``, ``data`` and ``weights`` as they are.
    """
    status, starts = recorded["status"], recorded["starts"]
    found = [] if status == "finished" else [f"it is {status}: it has no metrics to compare with"]
    changed = [said(start["changes"]) for start in starts if start.get("changes")]
    return [
        *found,
        *(f"settings: it went on with others ({text}), {_LAST}" for text in changed),
        *_of_code(recorded, now),
        *_of_entries("version of", recorded["versions"], now["versions"]),
        *_of_entries("data:", recorded["data"], now["data"]),
        *_of_weights(recorded, now["weights"]),
    ]


def _checked(recorded: Config, config: Config, run_dir: Path, asked: Config) -> list[str]:
    data = json.loads(json.dumps(build_data(config).fingerprint(), default=str))  # as recorded
    now = {**software(), "data": data, "weights": weights_of(config, run_dir)}
    found = differences(recorded, now)
    if not found:
        return []
    listed = "".join(f"\n- {difference}" for difference in found)
    if not asked["allow_differences"]:
        raise ValueError(
            f"{asked['replay']} would not be run as it was:{listed}\nPut that right, or type "
            "allow_differences=true: it runs all the same, and its run.json lists them"
        )
    LOG.warning("%s is not run as it was:%s", asked["replay"], listed)
    return found


def _say(run: str, outcome: Mapping[str, Any]) -> None:
    if outcome["equal"]:
        LOG.info("all metrics equal those of %s", run)
    for name, values in outcome["metrics"].items():
        LOG.warning(
            "%s: %s in %s, now %s (difference %s)",
            *(name, values["recorded"], run, values["now"], values["difference"]),
        )


def _moved_place(config: Config, asked: Config, group: str, key: str) -> dict[str, str]:
    new, old = asked[group][key], config[group].get(key)
    if new is None:
        return {}
    if old is None:
        raise ValueError(f"{asked['replay']} had no {group}.{key}: leave out {group}.{key}={new}")
    return {old: new}


def _given(options: Config) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def _of_code(recorded: Config, now: Config) -> list[str]:
    ran = {start.get("code_sha256") for start in recorded["starts"]}
    if ran == {now["code_sha256"]}:
        return []
    if len(ran) > 1:
        return ["code: it changed between the run's starts"]
    before, after = recorded.get("git") or {}, now["git"]
    commit = before.get("commit")
    if commit and commit == after.get("commit"):
        said = f"commit {commit[:12]} with other uncommitted changes"
    else:
        said = f"{_described(before)} then, {_described(after)} now"
    return [f"code: {said} (run.json has the commit and its changes under git)"]


def _described(git: Mapping[str, Any]) -> str:
    if not git.get("commit"):
        return "outside git"
    changes = " with uncommitted changes" if git.get("changes") or git.get("untracked") else ""
    return f"commit {git['commit'][:12]}{changes}"


def _of_entries(what: str, recorded: Config, now: Config) -> list[str]:
    return [
        f"{what} {key}: {short(value)} then, {short(now.get(key))} now"
        for key, value in recorded.items()
        if now.get(key) != value
    ]


def _of_weights(recorded: Config, now: Mapping[str, str | None]) -> list[str]:
    ran = sorted(map(str, recorded.get("weights", {}).values()))
    if ran == sorted(map(str, now.values())):
        return []
    places = ", ".join(now) or ", ".join(recorded["weights"])
    return [f"weights to start from: {places} is not the file the run started from"]
