"""GazePose, GazeLSTM and their parts; pure torch."""
