"""ColumbiaGaze for eye contact, what it was made for: who aims at the camera looks at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from common.media.columbiagaze import labelled_photos, photo_paths, subject_dirs
from gazepose.readers.photos.label_file import Fault, LabelledFace, Labels
from gazepose.readers.photos.reader import PhotosReader


@dataclass
class ColumbiaContactReader(PhotosReader):
    """Reads ColumbiaGaze; label 1 where V = H = 0.

    Whoever is in no list is of the train part; `left_out_people` are of none.
    """

    val_people: Sequence[str] = ()
    test_people: Sequence[str] = ()
    left_out_people: Sequence[str] = ()
    name: str = "columbiagaze_contact"

    def _labels(self) -> Labels:
        labels = Labels()
        for subject, folder in self._dirs.items():
            if subject in self.left_out_people:
                continue
            photos, faults = labelled_photos(photo_paths(folder), subject)
            labels.faces += [
                LabelledFace(
                    image=f"{subject}/{photo.path.name}",
                    bbox_xyxy_px=None,
                    label=int(photo.label.looks_at_camera),
                    where=str(photo.path),
                    part=self._part(subject),
                    person=subject,
                )
                for photo in photos
            ]
            kind = "photos whose names are no labels"
            labels.faults += [
                Fault(f"{subject}/{path.name}", f"{subject}/{path.name}", kind, reason)
                for path, reason in faults.items()
            ]
        return labels

    def _path(self, image: str, source: str) -> Path:
        subject, name = image.split("/")
        return self._dirs[subject] / name

    def _part(self, subject: str) -> str:
        if subject in self.test_people:
            return "test"
        return "val" if subject in self.val_people else "train"

    @cached_property
    def _dirs(self) -> dict[str, Path]:
        return subject_dirs(Path(self.raw_dir))
