"""What the photos of a Columbia Gaze subject are called, in the order of their labels."""

LABELS = [(p, v, h) for p in (-15, 0, 15) for v in (-10, 10) for h in (-5, 0, 5)]


def photo_names(subject: str) -> list[str]:
    return [f"{subject}_2m_{p}P_{v}V_{h}H.jpg" for p, v, h in LABELS]
