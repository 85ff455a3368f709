"""Faces in an image: found, meshed, turned, followed, drawn."""
