"""Ego4D: annotations, videos, and a doctor for both."""
