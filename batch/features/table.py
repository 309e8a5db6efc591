"""All features of the registry in one table of Spark columns: one row a request."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from batch.features.listening import listening
from batch.features.podcasts import podcasts
from batch.features.sessions import sessions
from batch.features.taste import genres, items
from batch.listens import KEYS, Job
from batch.partials import Partials
from contract.features import FEATURES
from contract.hooks import through
from contract.versions import Version

_SPARK_NAMES = {"int64": "bigint", "float64": "double", "string": "string"}


def features(job: Job, partials: Partials, version: Version) -> DataFrame:
    """Compute every feature for each request with a listen in its window; ``partials.pairs`` is best kept in memory.

    The result has the columns of ``contract.features.ROW_SCHEMA`` up to the last feature.
    """
    constants = job.constants
    tables = [
        listening(partials.listening, constants).join(partials.requests, list(KEYS)),
        sessions(partials.stretches, constants),
        podcasts(job.spark, partials.pairs, version),
        genres(job.spark, partials.pairs, version),
        items(job.spark, partials.pairs, version),
    ]
    rows = reduce(lambda left, right: left.join(right, list(KEYS), "left"), tables)
    rows = through(job.skews, "batch_features", _filled(rows, version))
    keys = [F.col(name) for name in ("user_id", "as_of_ms", "partition", "cut")]
    return rows.select(*keys, F.lit(version.name).alias("version"), *(_typed(f.name) for f in FEATURES))


def _filled(rows: DataFrame, version: Version) -> DataFrame:
    """Exchange the nulls that the joins left where the registry says 'never null'."""
    zeros = F.array(*[F.lit(0.0)] * len(version.catalogue.genres)).cast("array<double>")
    return rows.withColumns(
        {
            "sessions_7d": F.coalesce("sessions_7d", F.lit(0)),
            "show_completion_28d": F.coalesce("show_completion_28d", F.create_map().cast("map<string,double>")),
            "show_listens_28d": F.coalesce("show_listens_28d", F.create_map().cast("map<string,bigint>")),
            "genre_affinity": F.coalesce("genre_affinity", zeros),
        }
    )


def _typed(name: str) -> Column:
    feature = next(f for f in FEATURES if f.name == name)
    scalar = _SPARK_NAMES[feature.dtype]
    kinds = {"vector": f"array<{scalar}>", "map": f"map<string,{scalar}>"}
    return F.col(name).cast(kinds.get(feature.kind, scalar)).alias(name)
