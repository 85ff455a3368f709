"""Are the prior files there that landmarks or head pose are to be taken from?"""

from __future__ import annotations

from common.preprocessing.findings import Finding
from gazepose.preprocessing.preparation import LamPreparation
from gazepose.readers.sample import BringsPriors, RawReader


def missing_priors(reader: RawReader, preparation: LamPreparation) -> list[Finding]:
    """Return an error for each prior file that is asked for and not there.

    Raises:
        ValueError: If the folder does not hold this data set.
    """
    if not preparation.wants_priors:
        return []
    if isinstance(reader, BringsPriors):
        return reader.missing_priors(preparation.wanted_priors)
    what = f"{reader.name} brings no json_prior files"
    where = f"landmarks={preparation.landmarks}, head_pose={preparation.head_pose}"
    return [Finding("error", what, where, "measure with landmarks=mesh, head_pose=mesh")]


def prior_sizes(reader: RawReader, preparation: LamPreparation, group: str) -> dict[str, int]:
    """Return the sizes in bytes of the prior files that landmarks or head pose come from.

    By their names; empty where they come from none.
    """
    if preparation.wants_priors and isinstance(reader, BringsPriors):
        return reader.prior_sizes(group, preparation.wanted_priors)
    return {}


def require_priors(reader: RawReader, preparation: LamPreparation) -> None:
    """Refuse to go without a prior file that is asked for.

    Raises:
        ValueError: If one is missing, or the folder does not hold this data set.
    """
    missing = missing_priors(reader, preparation)
    if missing:
        found = "; ".join(f"{finding.what} [{finding.where}]" for finding in missing)
        raise ValueError(f"{found}: {missing[0].remedy}")
