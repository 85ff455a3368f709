"""Which prior files landmarks and head pose are taken from, and what the mesh gives instead.

All that looks at the files of all parts raises a ValueError if the folder is not of this data set.
"""

from collections.abc import Mapping

from common.preprocessing.findings import Finding
from gazepose.preprocessing.preparation import MESH, PRIOR, PreparationSettings
from gazepose.readers.json_prior.files import PRIOR_DIR
from gazepose.readers.sample import RawReader


def missing_priors(reader: RawReader, preparation: PreparationSettings) -> list[Finding]:
    """Return an error for each prior file that is needed and not there."""
    if not preparation.needed_priors:
        return []
    if files := reader.prior_files().values():
        return [f for part in files for f in part.missing(preparation.needed_priors)]
    what = f"{reader.name} brings no json_prior files"
    where = f"landmarks={preparation.landmarks}, head_pose={preparation.head_pose}"
    return [Finding("error", what, where, "measure with landmarks=mesh, head_pose=mesh")]


def prior_sizes(reader: RawReader, preparation: PreparationSettings, group: str) -> dict[str, int]:
    """Return the sizes in bytes of the files that landmarks or head pose come from, by name."""
    wanted = preparation.wanted_priors
    files = reader.prior_files_of(group) if wanted else None
    return files.sizes_bytes(wanted) if files else {}


def preparation_of(
    reader: RawReader, preparation: PreparationSettings, group: str
) -> PreparationSettings:
    """Return how a group is prepared, by the prior files that its part has."""
    if not preparation.wanted_priors:
        return preparation
    files = reader.prior_files_of(group)
    return preparation.with_priors(files.kinds() if files else ())


def preparations(
    reader: RawReader, preparation: PreparationSettings
) -> dict[str, PreparationSettings]:
    """Return how each part that may have prior files is prepared; empty if none may."""
    files = reader.prior_files() if preparation.wanted_priors else {}
    return {part: preparation.with_priors(found.kinds()) for part, found in files.items()}


def prior_sources(reader: RawReader, preparation: PreparationSettings) -> list[Finding]:
    """Say what comes from prior files and what the mesh gives, where it may stand in for them."""
    parts = preparations(reader, preparation)
    undecided = [k for k in preparation.wanted_priors if k not in preparation.needed_priors]
    return [
        _source(kind, {part: getattr(prepared, kind) for part, prepared in parts.items()})
        for kind in undecided
        if parts
    ]


def _source(kind: str, source_of_part: Mapping[str, str]) -> Finding:
    parts = {
        source: ", ".join(part for part, its in source_of_part.items() if its == source)
        for source in (PRIOR, MESH)
        if source in source_of_part.values()
    }
    words = {PRIOR: "from json_prior", MESH: "measured by the face mesh"}
    told = "; ".join(f"{words[source]} for {named}" for source, named in parts.items())
    what = f"{kind.replace('_', ' ')}: {told}"
    if len(parts) == 1:
        return Finding("note", what, PRIOR_DIR)
    remedy = f"to measure all alike: data.preprocessor.preparation.{kind}={MESH}"
    return Finding("warning", what, PRIOR_DIR, remedy)


def require_priors(reader: RawReader, preparation: PreparationSettings) -> None:
    """Refuse to go without a prior file that is needed; a ValueError says which."""
    missing = missing_priors(reader, preparation)
    if missing:
        found = "; ".join(f"{finding.what} [{finding.where}]" for finding in missing)
        raise ValueError(f"{found}: {missing[0].remedy}")
