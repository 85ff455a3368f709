"""Checkpoints: read without trust, written whole, gone on from."""
