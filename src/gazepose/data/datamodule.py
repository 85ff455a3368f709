"""Face store -> clips of seven frames, as a Lightning data module."""

import logging
from collections.abc import Mapping
from typing import Any

from torch.utils.data import DataLoader

from common.files.checksums import arrays_sha256
from common.media.photometric import PhotometricAugmentation
from common.media.photometric_batch import with_looks
from common.store.reading import read_recipe, warn_if_incomplete
from common.training.datamodule import Loading, Samples, SuiteDataModule
from common.training.reproducibility import seeded_loader
from gazepose.data.coverage import check_coverage, warn_of_wide_angles
from gazepose.data.dataset import ClipDataset, ClipRecipe, collate_clips
from gazepose.data.face_view import FaceView
from gazepose.data.folds import in_fold
from gazepose.data.framing import FramingAugmentation
from gazepose.data.stretches import ClipStretches
from gazepose.data.temporal_dropout import Mode, TemporalDropout
from gazepose.data.windows import class_weights, keyframes
from gazepose.priors import num_head_bins
from gazepose.store.reading import PARTS, LamPart
from gazepose.store.table import LamTable, Rows

LOG = logging.getLogger(__name__)
# A store does not say it: all of Ego4D's clips have one rate, as have the frames cut from them.
_FPS_HZ = {"ego4d": 30.0, "face_imgs": 30.0}


class LamDataModule(SuiteDataModule):
    """Train, val and test loaders of one eye-contact data set.

    Every `stride`-th frame of a track is the middle of a clip, if it has an image or is a sample of
    the challenge's test set (`keyframes`). Training and validation leave out middles without a
    label; a test goes through all, the label -1 included.

    Args:
        name: what tables call the data set.
        store_dir: its face store.
        use_head: batches hold `head_bins`.
        use_landmarks: batches hold `landmarks`.
        split: degrees of head pose a bin.
        dropout: the arguments of `TemporalDropout`.
        mirror_priors: mirrored clips get mirrored landmarks; published is not to.
        image_size: side of a frame; smaller than the store's is for small nets.
        zoom: 1 shows the whole face; see `FaceView`.
        batch_size: of `Loading`, as are `eval_batch_size` (also of a test that is not `dense`),
            `drop_last`, `num_workers`, `seed` (which draws flips, crops and dropout, too) and
            `repeat_first_epoch`.
        train_stride: step between middles of a track; published are 3, 13 and 1.
        val_stride: the same, in validation.
        test_stride: the same, in a test of the part ``test``; of other parts it is theirs.
        test_part: which part the test loader goes through; ``test`` is the unlabelled one.
        published_test: look at the part ``test`` as the original looks at the challenge's test set:
            blurred middle frames are black (`TemporalDropout.drop_centre_at_test`), and missing
            landmarks are not looked for in neighbours. False treats it as ``val``, for videos of
            one's own.
        num_folds: divide labelled photos into so many folds, whatever their parts (`in_fold`).
        fold: which of them, from 0, is the part ``test``.
        dense: the test loader gives stretches (`ClipStretches`), in which clips share
            frames; else clips, each with its own. The scores are the same.
        flip: training mirrors every other clip.
        random_crop: training crops each frame at random.
        max_shift: of `FramingAugmentation`, as are `max_zoom` and `least_width_px`.
        photometric: as of `ClipRecipe`.

    Attributes:
        table: all frames; a batch's ``row`` is one of it.
        fold: ``number`` and ``of`` how many, of photos in folds; else None.

    Raises:
        ValueError: If an argument is out of range, or the store cannot be read.
    """

    def __init__(
        self,
        name: str,
        store_dir: str,
        use_head: bool = False,
        use_landmarks: bool = False,
        split: float = 1.0,
        dropout: Mapping[str, Any] | None = None,
        mirror_priors: bool = False,
        image_size: int = 224,
        zoom: float = 1.0,
        batch_size: int = 64,
        eval_batch_size: int = 64,
        train_stride: int = 3,
        val_stride: int = 13,
        test_stride: int = 1,
        test_part: LamPart = "val",
        published_test: bool = True,
        num_folds: int | None = None,
        fold: int | None = None,
        dense: bool = True,
        flip: bool = True,
        random_crop: bool = True,
        max_shift: float = 0.0,
        max_zoom: float = 0.0,
        least_width_px: int | None = None,
        photometric: PhotometricAugmentation | None = None,
        drop_last: bool = False,
        num_workers: int = 2,
        seed: int = 0,
        repeat_first_epoch: bool = False,
    ) -> None:
        sizes = (batch_size, eval_batch_size, drop_last)
        super().__init__(name, test_part, Loading(*sizes, num_workers, seed, repeat_first_epoch))
        num_head_bins(split)
        self._published_test = published_test
        self._recipe = ClipRecipe(
            TemporalDropout(**(dropout or {})),
            split if use_head else None,
            use_landmarks,
            mirror_priors,
            flip,
            random_crop,
            FaceView(image_size, zoom),
            FramingAugmentation(max_shift, max_zoom, least_width_px),
            photometric,
        )
        self._strides = {"train": train_stride, "val": val_stride, "test": test_stride}
        self._dense = dense
        self._stored = LamTable.read(store_dir, head_pose=use_head, landmarks=use_landmarks)
        has_folds = (num_folds, fold) != (None, None)
        self.table = in_fold(self._stored, num_folds, fold) if has_folds else self._stored
        self.fold = {"number": fold, "of": num_folds} if has_folds else None
        self._store_recipe = read_recipe(self.table.store_dir)
        self._looked_at: dict[Mode, ClipDataset] = {}
        warn_if_incomplete(self.table.store_dir)
        if self.table.head_pose_deg is not None:
            warn_of_wide_angles(self.table.head_pose_deg, split)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Give clips the looks that the loader left to the device."""
        return with_looks(batch, "clip")

    def test_dataloader(self) -> DataLoader[Any]:
        """Return the loader of `test_part`, in the order of the table, unlabelled ones included."""
        mode, rows = self._mode(self.test_part), self.test_rows()
        self._check_coverage(self.test_part)
        if not self._dense:
            return self._loader(self._clips(rows, mode))
        return seeded_loader(
            ClipStretches(self.table, self._recipe, mode, rows),
            batch_size=None,
            num_workers=self._loading.num_workers,
            seed=self._loading.seed,
            trains=False,
        )

    def test_rows(self) -> Rows:
        """Return the rows of the table that the test loader goes through, in its order."""
        rows = keyframes(self.table, self.test_part, self._strides[self.test_part], False)
        return self._checked(rows, self.test_part)

    def sample(self, row: int, part: LamPart) -> dict[str, Any]:
        """Return the clip around a row of a part as it is evaluated; frames are (7, H, W, 3)."""
        mode = self._mode(part)
        if mode not in self._looked_at:
            self._looked_at[mode] = ClipDataset(self.table, self._recipe, mode)
        return self._looked_at[mode][row, 0]

    def _mode(self, part: LamPart) -> Mode:
        """Return how a part is looked at that is not trained on."""
        return "test" if part == "test" and self._published_test else "val"

    def class_weights(self) -> tuple[float, float]:
        """Return the loss's weights of "not looking" and "looking", from the training clips.

        Raises:
            ValueError: If all training clips have one label: one weight would be 0.
        """
        labels = self.table.label[self._labelled("train")]
        if labels.min() == labels.max():
            raise ValueError(
                f"{self.name}: all {len(labels)} training clips have the label {labels[0]}, so one "
                "class would weigh nothing. Check the annotations (Ego4D: is "
                "social_segments_looking there?) and preprocess again, or lower "
                f"data.datamodule.train_stride (now {self._strides['train']})"
            )
        return class_weights(labels)

    def fingerprint(self) -> dict[str, Any]:
        """Return what identifies data, parts and protocol."""
        return {
            "name": self.name,
            "recipe": self._store_recipe,
            **self._split(),
            "strides": self._strides,
            "num_frames": {part: len(self.table.rows_of_part(part)) for part in PARTS},
            "num_samples": {part: len(self._keyframes(part)) for part in PARTS},
            "head_pose_source": self.table.counts("head_pose_source"),
            "landmark_source": self.table.counts("landmark_source"),
            # Folds of one division are parts of one test: the parts differ, the data must not.
            "table_sha256": self._stored.sha256(),
            "priors_sha256": arrays_sha256([self.table.head_pose_deg, self.table.landmarks]),
        }

    def _split(self) -> dict[str, Any]:
        if self.fold is None:
            return {"split": f"parts-{self.table.parts_sha256()[:12]}"}
        number, of = self.fold["number"], self.fold["of"]
        return {
            "split": f"photo_folds{of}",
            "split_source": f"{of} folds by photo; test: fold {number}",
            "fold": self.fold,
        }

    @property
    def fps_hz(self) -> float | None:
        """Return the frame rate of the videos; None where it is not known."""
        return _FPS_HZ.get(self._store_recipe.get("reader", ""))

    def test_conditions(self) -> dict[str, Any]:
        """Return what a test's numbers depend on beside data and part: dropout and stride."""
        return {"dropout": self._recipe.dropout.kind, "stride": self._strides[self.test_part]}

    def _keyframes(self, part: LamPart) -> Rows:
        # The published filter belongs to training with Gaussian dropout.
        use_filter = part == "train" and self._recipe.dropout.kind == "gaussian"
        return keyframes(self.table, part, self._strides[part], use_filter)

    def _labelled(self, part: LamPart) -> Rows:
        rows = self._checked(self._keyframes(part), part)
        is_labelled = self.table.label[rows] >= 0
        if not is_labelled.all():
            LOG.info("%s: %d clips of %s have no label", self.name, (~is_labelled).sum(), part)
        return self._checked(rows[is_labelled], f"{part}, labelled")

    def _check_coverage(self, part: LamPart) -> None:
        """Raise ValueError if no face of a part has a prior that is asked for."""
        needs_sharpness = self._recipe.dropout.kind == "gaussian"
        check_coverage(self.table, part, needs_sharpness=needs_sharpness)

    def _checked(self, rows: Rows, what: str) -> Rows:
        if not len(rows):
            num_frames = {part: len(self.table.rows_of_part(part)) for part in PARTS}
            raise ValueError(
                f"{self.name}: no clip of the part {what!r}; {self.table.store_dir} has the frames "
                f"{num_frames}. Preprocess that part too; a test can be of another "
                "(data.datamodule.test_part=..., in predict.py split=...)"
            )
        return rows

    def _samples(self, part: Any, *, trains: bool) -> Samples:
        rows = self._labelled(part)
        self._check_coverage(part)
        return self._clips(rows, part)

    def _clips(self, rows: Rows, mode: Mode) -> Samples:
        # Workers must not touch cv2.setNumThreads: where their parent has used OpenCV's threads, it
        # waits forever for the parent's. Frames this small are decoded and cropped by one anyway.
        dataset = ClipDataset(self.table, self._recipe, mode)
        return Samples(dataset, self._sampler(rows, trains=mode == "train"), collate_clips)
