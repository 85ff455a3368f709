"""Predictions of small tests, without nets and stores."""

import numpy as np
import polars as pl

NUM_FRAMES = 40


def small_predictions(
    num_clips: int = 4, seed: int = 0, skill: float = 0.4, is_labelled: bool = True
) -> pl.DataFrame:
    """Two tracks a clip; scores that tell looks from no looks, the better the more skill.

    The samples depend on the number of clips only, the scores on seed and skill too.
    """
    samples, num = np.random.default_rng(7), num_clips * 2 * NUM_FRAMES
    labels = (samples.random(num) < 0.3).astype(np.int8)
    noise = np.random.default_rng(seed).random(num)
    sides = samples.choice([20.0, 50.0, 100.0, 200.0, 400.0], num)
    return pl.DataFrame(
        {
            "uid": np.repeat([f"clip{number}" for number in range(num_clips)], 2 * NUM_FRAMES),
            "trackid": np.tile(np.repeat(["s", "t"], NUM_FRAMES), num_clips),
            "frame": np.tile(np.arange(NUM_FRAMES), 2 * num_clips),
            "unique_id": ["" if is_labelled else f"u{number}" for number in range(num)],
            "part": "val" if is_labelled else "test",
            "label": labels if is_labelled else np.full(num, -1, np.int8),
            "score": (1 - skill) * noise + skill * labels,
            "x1": np.full(num, 10.0),
            "y1": np.full(num, 20.0),
            "x2": 10.0 + sides,
            "y2": 20.0 + sides,
            "sharpness": samples.uniform(0, 100, num),
            "sharpness_p": samples.random(num),
            "head_yaw_deg": samples.uniform(-80, 80, num),
            "head_pitch_deg": samples.uniform(-30, 30, num),
            "head_roll_deg": samples.uniform(-30, 30, num),
            "head_pose_source": "mesh",
            "landmark_source": "mesh",
            "track_length": samples.choice([10, 50, 200, 500, 1000], num),
        },
        schema_overrides={"head_yaw_deg": pl.Float32, "head_pitch_deg": pl.Float32},
    )
