"""Tables that polars reads: what it raises on a damaged one, said with the file's name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

# A panic of its Rust code is no Exception; in a damaged file it means no more than an error.
TABLE_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)


@contextmanager
def named_table_errors(path: Path, remedy: str) -> Iterator[None]:
    """Turn what polars raises in the block, for what is in a file, into a ValueError.

    It names the file, and ends with what to do.
    """
    try:
        yield
    except TABLE_ERRORS as error:
        # The plan of a lazy query follows.
        why = str(error).partition("\n")[0]
        raise ValueError(f"{path} is damaged ({why}); {remedy}") from error
