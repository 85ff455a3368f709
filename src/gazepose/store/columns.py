"""The columns of a store's tables: every value with its source.

========================  ===================================================================
column                    meaning
========================  ===================================================================
part                      train, val or test
track_id person_id        as annotated; ``unique_id`` is the test set's name of the face
frame track_index         frame number as annotated; position inside the track
label                     1 looks at the camera, 0 does not, -1 unknown
x1 y1 x2 y2               face box in frame pixels, NaN where unknown
is_interpolated           the annotations hold no box here
head_yaw_deg ...          head angles as Hopenet counts them (`gazepose.preprocessing.head_angles`),
                          NaN where unknown; ``head_pose_source`` is mesh, hopenet or prior
point_x0 ... score4       five points (`gazepose.preprocessing.five_points`), NaN where not found;
                          ``landmark_source`` is mesh, pose or prior
sharpness                 variance of the Laplacian, NaN without an image
prior_sharpness_p         Gaussian CDF of the sharpness from a prior file, NaN where none says
is_filtered               a prior file says to drop the frame as a keyframe
photo                     the photo that shows the face; null in a clip, which is the group
source                    collection of photos that it is of; null where there is but one
========================  ===================================================================

`common.store.writing` adds each image's place and checksum: no bytes, no image. What all
groups need to be known for, ``sharpness_p``, comes with `gazepose.store.writing`.
"""

import polars as pl

from gazepose.priors import NUM_POINTS

HEAD_POSE_COLUMNS = tuple(f"head_{axis}_deg" for axis in ("yaw", "pitch", "roll"))
POINT_COLUMNS = tuple(f"point_{what}{i}" for i in range(NUM_POINTS) for what in ("x", "y", "score"))
BOX_COLUMNS = ("x1", "y1", "x2", "y2")
# As the file of all frames has them; a group's own table is less strict.
SCHEMA = pl.Schema(
    {
        **dict.fromkeys(("group_name", "part", "track_id", "person_id", "unique_id"), pl.String),
        "frame": pl.Int32,
        "track_index": pl.Int32,
        "label": pl.Int8,
        **dict.fromkeys(BOX_COLUMNS, pl.Float64),
        "is_interpolated": pl.Boolean,
        "offset": pl.Int64,
        "num_bytes": pl.Int32,
        "crc32": pl.UInt32,
        **dict.fromkeys(HEAD_POSE_COLUMNS, pl.Float64),
        "head_pose_source": pl.String,
        **dict.fromkeys(POINT_COLUMNS, pl.Float64),
        "landmark_source": pl.String,
        "sharpness": pl.Float64,
        "prior_sharpness_p": pl.Float64,
        "is_filtered": pl.Boolean,
        "photo": pl.String,
        "source": pl.String,
    }
)
_NEWER = ("photo", "source")


def with_newer_columns(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return rows with the columns that stores made before these came lack, null."""
    lacking = [name for name in _NEWER if name not in rows.collect_schema()]
    return rows.with_columns(pl.lit(None, SCHEMA[name]).alias(name) for name in lacking)
