"""The readers of `flame`."""

import json
import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import h5py
import numpy as np
import torch
from builders.gazehub_tree import LABELS, write_gazehub
from builders.labelled_photos import write_photo
from builders.small_store import write_small_store

from common.store.damage import damaged_groups
from common.store.reading import FaceStore, missing_groups, read_made_from, read_recipe
from common.store.reading import read_failures as read_failed_groups
from common.store.writing import write_expected
from flame.data.splits import Split, load_split
from flame.data.statistics import Statistics, load_statistics, write_statistics
from flame.nets.flame import FlameB
from flame.originals.checkpoint import (
    OriginalCheckpoint,
    load_original_state_dict,
    read_checkpoint,
    to_original_state_dict,
    write_checkpoint,
)
from flame.originals.exchange import optimizer_state_from_original, optimizer_state_to_original
from flame.preprocessing.layout_export import LayoutSample, export_layout
from flame.preprocessing.openface_source import OpenFaceFolder
from flame.readers.columbia_eyes import ColumbiaEyesReader
from flame.readers.columbiagaze import ColumbiaGazeReader
from flame.readers.eth_xgaze import EthXGazeReader
from flame.readers.eyediap.reader import EyediapReader
from flame.readers.flame_layout import FlameLayoutReader
from flame.readers.gazehub import GazeHubReader, _label_files
from flame.readers.metadata import write_ranges, write_split
from flame.readers.numeric_pickle import read_numeric_pickle
from flame.store.labels import GazeLabels
from fuzz.target import Target, read_groups

_SESSION = "1_A_CS_S"


def _make_pickles(folder: Path) -> list[Path]:
    rows = np.linspace(-1, 1, 12).reshape(4, 3)
    values = {
        **{f"array{protocol}.pkl": (rows, protocol) for protocol in (0, 2, 4, 5)},
        "lists.pkl": ([row.tolist() for row in rows], 4),
        "ranges.pkl": ({"gaze": {"min": np.float64(-1), "max": 1.0}}, 4),
    }
    for name, (value, protocol) in values.items():
        (folder / name).write_bytes(pickle.dumps(value, protocol=protocol))
    return [folder / name for name in values]


def _make_layout(folder: Path) -> list[Path]:
    generator = np.random.default_rng(0)
    samples = [
        LayoutSample(
            subject=subject,
            image=generator.integers(0, 256, (6, 8, 3), np.uint8),
            landmarks=generator.uniform(2, 6, 112),
            head_pose=generator.uniform(-1, 1, 3),
            gaze=generator.uniform(-0.3, 0.3, 2),
        )
        for subject in ("s1", "s2")
        for _ in range(2)
    ]
    export_layout(samples, folder / "tree", heatmaps=False)
    return sorted(path for path in (folder / "tree").rglob("s1*/*") if path.is_file()) + sorted(
        (folder / "tree").rglob("s1.pkl")
    )


def _read_layout(path: Path) -> None:
    root = next(folder for folder in path.parents if folder.name == "tree")
    read_groups(FlameLayoutReader(root))


def _make_metadata(folder: Path) -> list[Path]:
    parts = {"train": ("a", "b"), "val": ("c",), "test": ("d",)}
    split = Split("mine", "drawn", "subject", **parts)
    (folder / "split.json").write_text(json.dumps(asdict(split)))
    write_split(folder / "split.pkl", parts)
    ranges = Statistics(-0.5, 0.5, -1.0, 1.0)
    conventions = {"gaze_convention": "flame_layout", "gaze_frame": "camera"}
    write_statistics(folder / "ranges.json", ranges, np.ones((2, 112)), conventions)
    write_ranges(folder / "ranges.pkl", ranges.to_dict(), np.ones((2, 112)))
    return sorted(folder.iterdir())


def _read_metadata(path: Path) -> object:
    return (load_split if path.stem == "split" else load_statistics)(path)


def _make_columbia(folder: Path) -> list[Path]:
    names = ("0001_2m_0P_0V_0H.jpg", "0001_2m_-15P_10V_-5H.jpg")
    for name in names:
        write_photo(folder / "0001" / name)
    return [folder / "0001" / name for name in names]


def _read_columbia(path: Path) -> None:
    read_groups(ColumbiaGazeReader(path.parents[1]))
    read_groups(ColumbiaEyesReader(path.parents[1]))


def _make_eyediap(folder: Path) -> list[Path]:
    session = folder / "Data" / _SESSION
    states = folder / "GazeState" / _SESSION / "gaze_state.txt"
    for path in (session, states.parent):
        path.mkdir(parents=True)
    head = "1;0;0;0;1;0;0;0;1;0.02;0;0.1"
    eyes = ";".join(["30"] * 12) + ";0.05;0.03;0.15;-0.01;0.03;0.15"
    rows = {"head_pose": head, "eye_tracking": eyes, "screen_coordinates": "640;512;0.1;0.05;0"}
    for name, row in rows.items():
        lines = [f"{name} header;", *(f"{frame};{row}" for frame in (0, 15, 30))]
        (session / f"{name}.txt").write_text("\n".join(lines))
    (session / "rgb_vga_calibration.txt").write_text(
        "[resolution]\n64\n48\n[intrinsics]\n50;0;31\n0;50;23\n0;0;1\n[R]\n1;0;0\n0;-1;0\n0;0;-1\n"
        "[T]\n0\n0\n1\n"
    )
    states.write_text("0\tOK\n15\tBK\n30\tOK\n")
    return [*sorted(session.iterdir()), states]


def _read_eyediap(path: Path) -> None:
    root = next(folder for folder in path.parents if (folder / "GazeState").is_dir())
    read_groups(EyediapReader(root))
    read_groups(EyediapReader(root, gaze="published", frame_step=1))


def _gazehub(dataset: str) -> Target:
    def make(folder: Path) -> list[Path]:
        tree = write_gazehub(folder / "hub", dataset, num_faces=2)
        return [tree.label(next(iter(LABELS[dataset])))]

    def read(path: Path) -> None:
        root = next(folder for folder in path.parents if folder.name == "hub")
        _label_files.cache_clear()
        # Of one form.
        if dataset not in ("eyediap", "rtgene"):
            read_groups(GazeHubReader(root))
        read_groups(GazeHubReader(root, dataset, remove_scale=dataset == "mpiifacegaze"))

    return Target(f"gazehub_{dataset}", make, read)


def _make_eth_xgaze(folder: Path) -> list[Path]:
    with h5py.File(folder / "subject0000.h5", "w", libver="latest") as file:
        file["face_patch"] = np.full((2, 4, 4, 3), 7, np.uint8)
        file.create_dataset("face_gaze", data=np.zeros((2, 2), np.float32), compression="gzip")
        file["face_head_pose"] = np.zeros((2, 2), np.float32)
    return [folder / "subject0000.h5"]


def _make_openface(folder: Path) -> list[Path]:
    eyes = [f"eye_lmk_{axis}_{point}" for axis in "xy" for point in range(56)]
    names = ["frame", "confidence", "success", *eyes, "pose_Rx", "pose_Ry", "pose_Rz"]
    row = ",".join(["0.98", "1", *["30.5"] * 112, "0.1", "0.2", "0.3"])
    lines = [", ".join(names), *(f"{frame},{row}" for frame in (1, 2, 3))]
    (folder / "s.csv").write_text("\n".join(lines))
    return [folder / "s.csv"]


def _read_openface(path: Path) -> None:
    try:
        table, _ = OpenFaceFolder(path.parent)._table(_Asked)  # type: ignore[arg-type]
        assert len(table) == len(table.confidence)
    except LookupError as error:  # a face without a row is skipped, with this reason
        raise ValueError(str(error)) from error


class _Asked:
    sample_id, group, frame = "x", "s", 1


def _make_original(folder: Path) -> list[Path]:
    torch.manual_seed(0)
    net = FlameB(width=1, hidden=2, input_size=32)
    optimizer = torch.optim.Adam(net.parameters())
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1])
    net(torch.zeros(2, 3, 32, 32), torch.zeros(2, 28, 32, 32), torch.zeros(2, 3)).sum().backward()
    optimizer.step()
    state = optimizer_state_to_original(optimizer.state_dict(), net)
    net_state = to_original_state_dict(net)
    checkpoint = OriginalCheckpoint(0, net_state, state, scheduler.state_dict(), 0.5, 3.0)
    write_checkpoint(folder / "new.pth", checkpoint)
    content = torch.load(folder / "new.pth", weights_only=False)
    torch.save(content, folder / "old.pth", _use_new_zipfile_serialization=False)
    return [folder / "new.pth", folder / "old.pth"]


def _read_original(path: Path) -> None:
    checkpoint = read_checkpoint(path)
    net = FlameB(width=1, hidden=2, input_size=32)
    with suppress(ValueError):
        load_original_state_dict(net, checkpoint.model_state_dict)
        optimizer_state_from_original(checkpoint.optimizer_state_dict, net)


def _make_store(folder: Path) -> list[Path]:
    write_small_store(folder / "store", num_subjects=2, num_faces=2)
    write_expected(folder / "store", ["s0", "s1", "s2"])
    return [
        *(folder / "store" / name for name in ("store.json", "groups.json", "skipped/s0.json")),
        *(folder / "store" / name for name in ("tables/s0.parquet", "packs/s0.pack")),
    ]


def _read_store(path: Path) -> None:
    root = next(folder for folder in path.parents if folder.name == "store")
    steps: list[Callable[[], object]] = [
        *(lambda: read_recipe(root), lambda: missing_groups(root), lambda: damaged_groups(root)),
        *(lambda: read_made_from(root, "s0"), lambda: read_failed_groups(root)),
        lambda: _read_images(root),
    ]
    for step in steps:
        try:
            step()
        except ValueError as error:
            # Two tables that do not fit together: neither is known to be the wrong one.
            is_named = path.name in str(error) or f"{root / 'tables'} " in str(error)
            assert is_named, error  # noqa: PT017


def _read_images(root: Path) -> None:
    store = FaceStore(root)
    for row in range(len(store)):
        store.image(row)
    GazeLabels.from_table(store.table)


TARGETS: list[Target] = [
    Target("numeric_pickle", _make_pickles, read_numeric_pickle),
    Target("flame_layout", _make_layout, _read_layout),
    Target("flame_metadata", _make_metadata, _read_metadata),
    Target("columbiagaze", _make_columbia, _read_columbia),
    Target("eyediap", _make_eyediap, _read_eyediap),
    *map(_gazehub, LABELS),
    Target("eth_xgaze", _make_eth_xgaze, lambda p: read_groups(EthXGazeReader(p.parent))),
    Target("openface", _make_openface, _read_openface),
    Target("flame_original", _make_original, _read_original),
    Target("gaze_store", _make_store, _read_store),
]
