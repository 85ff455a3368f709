"""Invented people as pixels."""
