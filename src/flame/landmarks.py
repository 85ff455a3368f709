"""How many eye landmarks a face has; `common.faces.eye_landmarks` says which."""

NUM_EYE_POINTS = 28  # per eye; point i of the right and of the left eye share channel i
NUM_LANDMARKS = 112  # x of 56 points, then y of 56 points
