"""Ego4D's files: official csv, the challenge's json and its check."""
