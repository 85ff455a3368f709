"""MediaPipe: face mesh and body pose."""
