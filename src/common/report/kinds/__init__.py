"""Kinds of tests: what each measures and how it is told."""
