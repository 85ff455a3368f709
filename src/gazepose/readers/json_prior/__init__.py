"""The originals' prior files, folder ``json_prior``."""
