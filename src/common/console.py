"""Keep the console for what a user needs to read."""

from __future__ import annotations

import logging
import warnings


def quiet_libraries() -> None:
    """Drop Lightning's advertising and its own use of deprecated torch calls.

    Seen with pytorch-lightning 2.6.6 and torch 2.15; warnings about the user's settings stay.
    """
    logging.getLogger("pytorch_lightning.utilities.rank_zero").addFilter(_is_no_tip)
    warnings.filterwarnings("ignore", message=r".*treespec, LeafSpec.*")
    # The machine decides how many loader workers help; two cores feed two.
    warnings.filterwarnings("ignore", message=r".*does not have many workers.*")


def _is_no_tip(record: logging.LogRecord) -> bool:
    return "Tip: For seamless" not in record.getMessage()
