"""Scores of the faces in photos and videos."""
