"""Training rows against what was served: the skew that no comparison of the paths at one instant can see.

A ranker is trained on rows as of past midnights, computed days later. Where they hold what nobody could know at the midnight
(events from behind it, late events that had not arrived), training is better than serving ever gets, while both paths agree on
every row that is served. So a version keeps a sample of the rows that it was trained on, and here these are held against the
snapshots that the live path made at those midnights (log what was served, train on the log: Rule 29 of Google's "Rules of
Machine Learning").

The suite is not required: most nights train nothing, and the first training has only history behind it. A skew of serving or of
the batch path's events shows here too, up to a week late; this suite says something new where parity is silent.

Compared is what can be compared. Snapshots are of the version that was active at their midnight, training rows of the one that
was active at the training night. ``user_vector`` is a product of the version's item vectors, so it is left out where these are
of different trainings. The catalogue is carried on from version to version, so all else does not depend on them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contract.features import FEATURES, NAMES, ROW_SCHEMA
from contract.home import Home, snapshot_path
from contract.versions import Version, Versions
from contract.windows import iso_date
from monitoring.compare import Pair, align, tolerable
from monitoring.frames import read_table
from monitoring.measures import UNMATCHED

KEYS = ("user_id", "as_of_ms")
COLUMNS = (*KEYS, *NAMES, UNMATCHED)
OF_VECTORS = "user_vector"


def training_frame(home: Home, version: Version) -> pd.DataFrame:
    """Return one row a kept training row of a version: ``KEYS``, per feature 1 where it is beyond tolerance, ``UNMATCHED``.

    NaN stands where a feature was not compared, 0 in all of a column that was compared nowhere. The frame is empty where the
    night trained nothing, or no midnight of its rows has a whole snapshot.
    """
    trained, versions = version.training, Versions(home.versions)
    users, midnights = (pc.unique(trained.column(name)) for name in KEYS)
    frames = []
    for midnight in midnights.to_pylist():
        live = _served(home, versions, midnight, users)
        if live is not None:
            frames.append(_compared(versions, version, trained.filter(pc.equal(trained.column("as_of_ms"), midnight)), live))
    if not frames:
        return pd.DataFrame(columns=list(COLUMNS))
    found = pd.concat(frames, ignore_index=True)
    nowhere = found.columns[found.isna().all()]
    return found.assign(**dict.fromkeys(nowhere, 0.0))


def differing(frame: pd.DataFrame) -> list[str]:
    """Return the features that are beyond tolerance on some row of a training frame, in the registry's order."""
    return [name for name in NAMES if (frame[name] > 0).any()]


def _served(home: Home, versions: Versions, midnight: int, users: pa.Array) -> pa.Table | None:
    """Return the live path's rows of some listeners at a midnight; None where it left no whole snapshot of it."""
    if iso_date(midnight) not in versions.names():
        return None
    cuts = versions.get(iso_date(midnight)).manifest.cuts
    paths = [snapshot_path(home, midnight, partition, cut) for partition, cut in cuts.items()]
    if not all(path.exists() for path in paths):
        return None
    mine = pc.field("user_id").isin(users)
    return pa.concat_tables([read_table(path, schema=ROW_SCHEMA, filters=mine) for path in paths])


def _compared(versions: Versions, version: Version, trained: pa.Table, live: pa.Table) -> pd.DataFrame:
    pair = align(trained, live, KEYS)
    beyond = {feature.name: (~tolerable(pair, feature.name)).astype(np.float64) for feature in FEATURES}
    beyond[OF_VECTORS][~_same_vectors(versions, version, pair)] = np.nan
    matched = pair.left.select(list(KEYS)).to_pandas().assign(**beyond, **{UNMATCHED: 0.0})
    alone = [side.select(list(KEYS)).to_pandas().assign(**{UNMATCHED: 1.0}) for side in (pair.missing, pair.extra)]
    return pd.concat([matched, *(frame for frame in alone if len(frame))], ignore_index=True)


def _same_vectors(versions: Versions, version: Version, pair: Pair) -> np.ndarray:
    """Tell for which served rows the item vectors are those that the training rows were computed with."""
    served = pair.right.column("version")
    made = versions.get(version.manifest.computed_with).manifest.vectors_as_of_ms
    same = [name for name in pc.unique(served).to_pylist() if versions.get(name).manifest.vectors_as_of_ms == made]
    return np.asarray(pc.is_in(served, pa.array(same, pa.string())).to_numpy(zero_copy_only=False))
