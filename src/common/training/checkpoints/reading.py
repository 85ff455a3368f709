"""A checkpoint's file: written whole or not at all, verified whenever it is read.

The only place that loads weights of this suite's own checkpoints.
"""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch
from pytorch_lightning import LightningModule

from common.files.atomic import partial_path
from common.training.checkpoints.foreign_weights import fitted

# What `torch.save` writes begins with it; before PyTorch 1.6 it wrote no zip archive.
_ZIP = b"PK\x03\x04"
_DIRECTORY = 0x10


def load_module(module: LightningModule, path: Path) -> None:
    """Load a Lightning checkpoint's weights, and what the module saved beside them; strict.

    Raises:
        ValueError: If there is no such checkpoint, or its weights do not fit the net.
    """
    checkpoint = read_checkpoint(path)
    weights = checkpoint.get("state_dict")
    if not isinstance(weights, dict) or not all(map(torch.is_tensor, weights.values())):
        raise ValueError(
            f"{path} is no checkpoint of this suite; an original's is given as model=NAME "
            "checkpoint=FILE.pth, without run="
        )
    hint = "Use the config it was trained with (predict.py run=RUN does)"
    fitting = fitted(weights, module.state_dict(), f"{path} does not fit this net", hint)
    module.load_state_dict(fitting)
    module.on_load_checkpoint(checkpoint)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint's content; loads tensors and plain values only, never code.

    Raises:
        ValueError: If there is no such file, it is damaged, or it holds anything else.
    """
    if not path.is_file():
        raise ValueError(f"no checkpoint {path}: train it first, or give another file")
    try:
        with path.open("rb") as file:
            _check_whole(file)
            content = torch.load(file, map_location="cpu", weights_only=True)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    # A damaged pickle raises whatever its bytes happen to say.
    except Exception as error:
        raise ValueError(f"{path} cannot be read as tensors and plain values: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}, expected a checkpoint's dict")
    return content


def save_checkpoint(content: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint beside its place, flush and verify it, and move it there.

    Raises:
        ValueError: If it cannot be written; what was there before is there still.
    """
    # To a file, `torch.save` turns a full disk into an error that does not say so.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    try:
        with partial_path(path) as partial:
            partial.write_bytes(buffer.getbuffer())
            with partial.open("rb") as file:
                _check_whole(file)
    except (OSError, zipfile.BadZipFile) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ValueError(
            f"{path} cannot be written ({why}): make room, or give permission to write there, "
            "and start again. A checkpoint that was there is there still"
        ) from error


def _check_whole(file: IO[bytes]) -> None:
    """Check a file against the checksums (CRC-32) that `torch.save` writes and no load looks at.

    Raises:
        zipfile.BadZipFile: If it is not what was written.
    """
    is_zip = file.read(len(_ZIP)) == _ZIP
    try:
        damaged = _damaged_record(file) if is_zip else None
    # Damage in the archive's own bytes raises whatever they happen to say.
    except Exception as error:
        raise zipfile.BadZipFile(str(error) or type(error).__name__) from error
    if damaged is not None:
        raise zipfile.BadZipFile(f"{damaged} is not what was written")
    file.seek(0)


def _damaged_record(file: IO[bytes]) -> str | None:
    with zipfile.ZipFile(file) as archive:
        records = archive.infolist()
        if not any(record.CRC for record in records):
            return None  # written without, by `torch.serialization.set_crc32_options`
        # Of a directory PyTorch reads nothing; no record is one.
        directories = (one.filename for one in records if one.external_attr & _DIRECTORY)
        return archive.testzip() or next(directories, None)
