"""A face store of smooth images, each drawn from the seed that its row holds."""

from pathlib import Path

import numpy as np

from common.media.image_codec import encode_image
from common.store.reading import FaceStore
from common.store.writing import GroupWriter


def image(seed: int, height: int = 40, width: int = 30) -> np.ndarray:
    """A smooth image: JPEG is no good at noise."""
    generator = np.random.default_rng(seed)
    corners = generator.uniform(0, 255, (2, 2, 3))
    y, x = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    rows = corners[0, 0] * (1 - y) + corners[1, 0] * y, corners[0, 1] * (1 - y) + corners[1, 1] * y
    return np.rint(rows[0] * (1 - x) + rows[1] * x).astype(np.uint8)


def write_group(store_dir: Path, group: str, seeds: list[int]) -> None:
    with GroupWriter(store_dir, group) as writer:
        for seed in seeds:
            writer.add(encode_image(image(seed), "png", 0), {"seed": seed})


def write_seeded_store(folder: Path) -> Path:
    """Write the groups "b" and then "a.1" of three and two rows."""
    write_group(folder, "b", [3, 4, 5])
    write_group(folder, "a.1", [1, 2])
    return folder


def written_places(store_dir: Path, group: str) -> list[tuple[int, int, int]]:
    table = FaceStore(store_dir).table
    rows = table.filter(table["group_name"] == group)
    return list(rows.select("offset", "num_bytes", "crc32").iter_rows())
