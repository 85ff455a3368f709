"""The readers of `gazepose`."""

import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import torch
from builders.fake_lam import FakePreparation
from builders.gazepose_tree import add_faces, add_priors, write_readme_tree
from builders.labelled_photos import labelled_row, write_contact_photos, write_csv, write_photo
from builders.small_ego4d import write_small_ego4d
from builders.small_lam import write_small_lam
from builders.small_members import write_run
from builders.small_nets import small_gazepose
from builders.small_predictions import small_predictions

from common.media.image_codec import encode_image
from fuzz.target import Target, read_groups
from gazepose.ensembling.combining import MEAN, combine
from gazepose.ensembling.members import find_predictions, read_members
from gazepose.evaluation.metrics import evaluate_lam
from gazepose.nets.gazepose import GazePose
from gazepose.originals.start_weights import start_net
from gazepose.originals.weights import load_original, original_state_dict
from gazepose.preprocessing.preprocessor import LamPreprocessor
from gazepose.pretraining.preprocessor import Gaze360Preprocessor
from gazepose.readers.ego4d.reader import Ego4DReader
from gazepose.readers.face_imgs.reader import FaceImgsReader
from gazepose.readers.photos.contact_photos import ContactPhotosReader
from gazepose.readers.photos.nitec import NitecReader
from gazepose.readers.split_lists import read_split_list
from gazepose.store.reading import FRAMES_FILE
from gazepose.store.table import LamTable
from gazepose.store.writing import frames_are_sound, write_frames
from gazepose.submission.check import validate_submission
from gazepose.submission.writing import convert_predictions, expected_samples, write_submission


def _make_ego4d(folder: Path) -> list[Path]:
    write_small_ego4d(folder)
    manifest = folder / "v2" / "clips" / "manifest.csv"
    manifest.write_text("video_uid,s3_path\naaa,s3://ego4d/aaa.mp4\nbbb,s3://ego4d/bbb.mp4\n")
    return [*sorted(folder.glob("v2/annotations/*.json")), folder / "split/train.list", manifest]


def _read_ego4d(path: Path) -> None:
    root = next(folder for folder in path.parents if (folder / "v2").is_dir())
    read_groups(Ego4DReader(root))
    read_groups(Ego4DReader(root, track_rule="published", frame_offset=1))


def _make_face_imgs(folder: Path) -> list[Path]:
    data = folder / "data"
    tracks = '[{"clip_uid": "aaa", "frameNumber": 1, "Person ID": "1", "x": 1.0, "y": 2.0, '
    tracks += '"width": 30.0, "height": 20.0}, {"clip_uid": "aaa", "frameNumber": 4, '
    tracks += '"Person ID": "1", "x": 1.0, "y": 2.0, "width": 30.0, "height": 20.0}]'
    looks = '[{"label": "1", "start_frame": 2, "end_frame": 3}]'
    for name, text in {
        "split/train.list": "aaa\nbbb",
        "split/val.list": "ccc",
        **{f"json_original/{clip}/t1.json": tracks for clip in ("aaa", "bbb", "ccc")},
        **{f"result_LAM/{clip}.json": looks for clip in ("aaa", "bbb", "ccc")},
    }.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(text)
    for clip in ("aaa", "bbb", "ccc"):
        (data / "face_imgs" / clip / "t1").mkdir(parents=True)
    names = ("json_original/aaa/t1.json", "result_LAM/aaa.json", "split/train.list")
    return [data / name for name in names]


def _make_json_prior(folder: Path) -> list[Path]:
    source, data = folder / "ego4d", folder / "data"
    write_small_ego4d(source)
    write_readme_tree(source, data)
    add_faces(data)
    add_priors(data, "train")
    shutil.rmtree(source)
    shutil.rmtree(data / "videos")
    (data / "json_prior" / "train_filter_all.json").write_text(
        '{"aaa:t1:4": {"max_index": 0, "array": [1, -1]}, "bbb:t1:4": {"max_index": 1}}'
    )
    return sorted((data / "json_prior").iterdir())


def _read_face_imgs(path: Path) -> None:
    root = next(folder for folder in path.parents if folder.name == "data").parent
    read_groups(FaceImgsReader(root))
    read_groups(FaceImgsReader(root, track_rule="repaired"))


def _make_preprocessed(folder: Path) -> list[Path]:
    priors = _make_json_prior(folder)
    data = folder / "data"
    return [data / "json" / "av_train.json", data / "split" / "train.list", priors[0]]


def _read_preprocessed(path: Path) -> None:
    """Make a store; what is damaged may cost clips of its part, never another or the report."""
    root = next(folder for folder in path.parents if folder.name == "data").parent
    reader, store_dir = FaceImgsReader(root), root / "store"
    LamPreprocessor("face_imgs", reader, store_dir, FakePreparation(), num_workers=0).run()
    assert (store_dir / "report.txt").is_file()
    assert "ccc" in LamTable.read(store_dir).group_names


def _make_contact_photos(folder: Path) -> list[Path]:
    write_contact_photos(folder, 6)
    return [folder / "labels.csv"]


def _make_nitec(folder: Path) -> list[Path]:
    for part in ("train", "test"):
        images = [f"data/HELEN/{part}{number}.jpg" for number in range(4)]
        write_csv(
            folder / part / "nitec_helen.csv", [labelled_row(i, 1) for i in images], header=()
        )
        for image in images:
            write_photo(folder / image)
    return [folder / "train" / "nitec_helen.csv"]


def _make_split_list(folder: Path) -> list[Path]:
    (folder / "train.list").write_text("0a1b2c3d-1111-4aaa-8bbb-00000000000a\naaa\nbbb")
    return [folder / "train.list"]


def _make_gaze360(folder: Path) -> list[Path]:
    image = encode_image(np.full((24, 20, 3), 99, np.uint8), "jpeg", 90)
    for part in ("train", "validation", "test"):
        names = [f"rec_{part}/head/000000/{number:06d}.jpg" for number in range(2)]
        (folder / f"{part}.txt").write_text("".join(f"{name} -0.6 0.0 -0.8 \n" for name in names))
        for name in names:
            path = folder / "imgs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(image)
    return [folder / "train.txt", folder / "imgs" / "rec_train/head/000000/000001.jpg"]


def _read_gaze360(path: Path) -> None:
    root = next(folder for folder in path.parents if (folder / "imgs").is_dir())
    preprocessor = Gaze360Preprocessor("gaze360", root, root, root / "store", num_workers=0)
    preprocessor.run()
    preprocessor.check()


def _make_submission(folder: Path) -> list[Path]:
    table = small_predictions(1, is_labelled=False).head(4)
    write_submission(table, folder / "submission.json")
    return [folder / "submission.json"]


def _make_test_csv(folder: Path) -> list[Path]:
    lines = [f"v,u{number},t,1,0.{number}" for number in range(1, 5)]
    (folder / "pred.csv").write_text("\n".join(lines) + "\n")
    return [folder / "pred.csv"]


def _make_lam_csvs(folder: Path) -> list[Path]:
    rows = [f"v,{number},1.0,2.0,30.5,40.5,t" for number in range(6)]
    (folder / "gt.csv").write_text("".join(f"{row},{i % 2}\n" for i, row in enumerate(rows)))
    (folder / "pred.csv").write_text("".join(f"{row},1,0.{i}\n" for i, row in enumerate(rows)))
    return [folder / "gt.csv", folder / "pred.csv"]


def _make_members(folder: Path) -> list[Path]:
    runs = [
        write_run(folder / name, small_predictions(2, seed), name)
        for seed, name in enumerate(("a", "b"))
    ]
    return [find_predictions(run, None) for run in runs]


def _read_members(path: Path) -> None:
    root = path.parents[2]
    members = read_members([find_predictions(root / name, "val") for name in ("a", "b")])
    assert members.protocol
    combine(members, MEAN)


def _make_lam_store(folder: Path) -> list[Path]:
    write_small_lam(folder)
    return [folder / FRAMES_FILE, folder / "tables" / "train0.parquet"]


def _read_lam_store(path: Path) -> None:
    store_dir = path.parent if path.name == FRAMES_FILE else path.parents[1]
    frames_are_sound(store_dir)
    if path.name != FRAMES_FILE:
        write_frames(store_dir, 1)
    table = LamTable.read(store_dir, head_pose=True, landmarks=True)
    table.select(table.rows_of_part("train"), ["track_id", "x1", "photo"])
    table.counts("part")
    table.parts_sha256()
    table.sha256()


def _make_expected_samples(folder: Path) -> list[Path]:
    names = {"group_name": ["v", "v"], "track_id": ["t", "t"], "unique_id": ["u0", "u1"]}
    pl.DataFrame(names).write_parquet(folder / FRAMES_FILE)
    return [folder / FRAMES_FILE]


def _make_original(folder: Path) -> list[Path]:
    torch.save(original_state_dict(small_gazepose()), folder / "original.pth")
    torch.save({"state_dict": original_state_dict(small_gazepose()), "epoch": 1}, folder / "of.pth")
    return [folder / "original.pth", folder / "of.pth"]


def _read_original(path: Path) -> None:
    with suppress(ValueError):
        load_original(_net(), path)
    start_net(_net(), path, "all")


@cache
def _net() -> GazePose:
    return small_gazepose(1)


TARGETS: list[Target] = [
    Target("lam_preprocessing", _make_preprocessed, _read_preprocessed),
    Target("ego4d", _make_ego4d, _read_ego4d),
    Target("face_imgs", _make_face_imgs, _read_face_imgs),
    Target("json_prior", _make_json_prior, _read_face_imgs),
    Target(
        "contact_photos",
        _make_contact_photos,
        lambda p: read_groups(ContactPhotosReader(p.parent)),
    ),
    Target("nitec", _make_nitec, lambda p: read_groups(NitecReader(p.parents[1]))),
    Target("split_list", _make_split_list, read_split_list),
    Target("gaze360", _make_gaze360, _read_gaze360),
    Target(
        "submission", _make_submission, lambda p: validate_submission(p, {("v", "t", "u0")}).text
    ),
    Target("test_csv", _make_test_csv, lambda p: convert_predictions(p, p.parent / "out.json")),
    Target(
        "lam_csv",
        _make_lam_csvs,
        lambda p: evaluate_lam(p.parent / "gt.csv", p.parent / "pred.csv"),
    ),
    Target("members", _make_members, _read_members),
    Target("lam_store", _make_lam_store, _read_lam_store),
    Target("expected_samples", _make_expected_samples, lambda p: expected_samples(p.parent)),
    Target("original", _make_original, _read_original),
]
