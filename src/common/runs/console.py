"""Keep the console for what a user needs to read."""

import logging
import warnings

from pytorch_lightning.utilities import rank_zero_only


def quiet_libraries() -> None:
    """Drop Lightning's advertising and its own use of deprecated torch calls.

    Of several processes the first one speaks; the others only warn.

    Seen with pytorch-lightning 2.6.6 and torch 2.15; warnings about the user's settings stay.
    """
    if rank_zero_only.rank:
        logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("pytorch_lightning.utilities.rank_zero").addFilter(_is_no_tip)
    warnings.filterwarnings("ignore", message=r".*treespec, LeafSpec.*")
    # The machine decides how many loader workers help; two cores feed two.
    warnings.filterwarnings("ignore", message=r".*does not have many workers.*")


def _is_no_tip(record: logging.LogRecord) -> bool:
    return "Tip: For seamless" not in record.getMessage()
