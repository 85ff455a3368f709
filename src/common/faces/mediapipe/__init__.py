"""MediaPipe: face mesh, iris and body pose."""
