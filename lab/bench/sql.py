"""The baseline of ``skewlab bench features``: the same features by one statement of DuckDB SQL, over the same Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from contract.errors import UsageError
from contract.features import ROW_SCHEMA, FeatureConstants
from contract.lake import Lake
from contract.versions import Version
from contract.windows import DAY_MS, HOUR_MS, MINUTE_MS, days_start, iso_date

STATEMENT = """
WITH events AS (
  SELECT lake.* FROM lake JOIN cuts USING (kafka_partition)
  WHERE kafka_offset < cut AND ts_ms < $as_of AND ts_ms >= $month - $replay_window
), single AS (
  SELECT * FROM events QUALIFY row_number() OVER (PARTITION BY user_id, event_id, ts_ms ORDER BY kafka_offset) = 1
), told AS (
  SELECT *, kind = 'music' AS music,
    ms_played >= CASE WHEN kind = 'podcast' THEN $podcast_skip ELSE $music_skip END AS play
  FROM single
), listens AS (
  SELECT *, play AND music AND max(CASE WHEN play THEN ts_ms END) OVER (
      PARTITION BY user_id, item_id ORDER BY ts_ms RANGE BETWEEN {replay_window} PRECEDING AND 1 PRECEDING
    ) IS NOT NULL AS replay
  FROM told
), inside AS MATERIALIZED (
  SELECT *, CASE WHEN NOT play THEN $skip_tenths WHEN replay THEN $replay_tenths ELSE $play_tenths END AS tenths,
    ((ts_ms + utc_offset_min * $minute) // $hour) % 24 AS local_hour
  FROM listens WHERE ts_ms >= $month
), listening AS (
  SELECT user_id, any_value(kafka_partition) AS partition,
    count(*) FILTER (play AND ts_ms >= $as_of - $short) AS plays_24h,
    count(*) FILTER (play AND ts_ms >= $as_of - $week) AS plays_7d,
    count(*) FILTER (play AND ts_ms >= $as_of - $day) AS plays_yesterday,
    count(DISTINCT ts_ms // $day) FILTER (play) AS active_days_28d,
    count(*) FILTER (music AND NOT play) / nullif(count(*) FILTER (music), 0) AS skip_rate_28d,
    count(*) FILTER (replay) / nullif(count(*) FILTER (music), 0) AS replay_rate_28d,
    sum(ms_played) / $minute::DOUBLE AS listen_minutes_28d,
    avg(least(1.0, ms_played / duration_ms)) FILTER (music AND duration_ms IS NOT NULL) AS completion_28d,
    ($as_of - max(ts_ms)) / $hour::DOUBLE AS recency_hours,
    coalesce(sum(pow(2.0, -($as_of - ts_ms) / $half_life::DOUBLE)) FILTER (play), 0.0) AS decayed_plays,
    count(*) FILTER (local_hour >= $night_from OR local_hour < $night_until) / count(*) AS night_share_28d,
    count(*) FILTER (device = 'phone') / count(*) AS phone_share_28d,
    sum(CASE WHEN music THEN 0 ELSE ms_played END) / nullif(sum(ms_played), 0) AS podcast_share_28d
  FROM inside GROUP BY user_id
), spans AS (
  SELECT user_id, ts_ms - ms_played AS begin_ms, ts_ms AS end_ms, max(ts_ms) OVER (
      PARTITION BY user_id ORDER BY ts_ms - ms_played, ts_ms ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest
  FROM inside WHERE ts_ms >= $sessions
), runs AS (
  SELECT *, count(*) FILTER (latest IS NULL OR begin_ms > latest + $gap) OVER (
      PARTITION BY user_id ORDER BY begin_ms, end_ms ROWS UNBOUNDED PRECEDING) AS run
  FROM spans
), lengths AS (
  SELECT user_id, max(end_ms) - min(begin_ms) AS length FROM runs GROUP BY user_id, run
), sessions AS (
  SELECT user_id, count(*) AS sessions_7d, sum(length) / $minute::DOUBLE / count(*) AS session_minutes_7d
  FROM lengths GROUP BY user_id
), pairs AS MATERIALIZED (
  SELECT user_id, item_id, max(tenths) AS tenths, bool_or(play) AS played, count(*) FILTER (NOT music) AS podcast_listens,
    sum(ms_played) FILTER (NOT music) AS podcast_ms, max(duration_ms) FILTER (NOT music) AS podcast_duration
  FROM inside GROUP BY user_id, item_id
), items AS (
  SELECT user_id, count(*) FILTER (played) AS distinct_items_28d FROM pairs GROUP BY user_id
), by_genre AS (
  SELECT user_id, genre, sum(tenths) / (10 * count(*)) AS mean
  FROM pairs JOIN facts USING (item_id) WHERE genre IS NOT NULL GROUP BY user_id, genre
), genres AS (
  SELECT user_id, arg_min(genre, (-mean, genre)) AS top_genre, max(mean) AS top_genre_affinity,
    map_from_entries(list((genre, mean))) AS means
  FROM by_genre GROUP BY user_id
), totals AS (
  SELECT user_id, [{sums}] AS total FROM pairs JOIN vectors USING (item_id) GROUP BY user_id
), norms AS (
  SELECT *, sqrt(list_sum(list_transform(total, lambda x: x * x))) AS norm FROM totals
), units AS (
  SELECT user_id, CASE WHEN norm > 0 THEN list_transform(total, lambda x: x / norm) END AS user_vector FROM norms
), episodes AS (
  SELECT user_id, facts."show" AS "show", podcast_listens,
    CASE WHEN podcast_duration IS NOT NULL THEN least(1.0, podcast_ms / podcast_duration) END AS share
  FROM pairs LEFT JOIN facts USING (item_id) WHERE podcast_listens > 0
), by_show AS (
  SELECT user_id, "show", avg(share) AS completion, sum(share) AS completed, count(share) AS timed,
    sum(podcast_listens)::BIGINT AS listens
  FROM episodes GROUP BY user_id, "show"
), podcasts AS (
  SELECT user_id, sum(completed) / nullif(sum(timed), 0) AS podcast_completion_28d,
    map_from_entries(list(("show", completion) ORDER BY "show") FILTER ("show" IS NOT NULL AND completion IS NOT NULL))
      AS show_completion_28d,
    map_from_entries(list(("show", listens) ORDER BY "show") FILTER ("show" IS NOT NULL)) AS show_listens_28d
  FROM by_show GROUP BY user_id
)
SELECT listening.*, $as_of AS as_of_ms, cuts.cut, $version AS version, coalesce(sessions_7d, 0) AS sessions_7d,
  session_minutes_7d, distinct_items_28d, top_genre, top_genre_affinity, [{affinities}] AS genre_affinity, user_vector,
  podcast_completion_28d, coalesce(show_completion_28d, MAP {{}}) AS show_completion_28d,
  coalesce(show_listens_28d, MAP {{}}) AS show_listens_28d, NULL AS shows, NULL AS scores
FROM listening JOIN cuts ON cuts.kafka_partition = partition LEFT JOIN sessions USING (user_id) LEFT JOIN items USING (user_id)
  LEFT JOIN genres USING (user_id) LEFT JOIN units USING (user_id) LEFT JOIN podcasts USING (user_id)
ORDER BY user_id
"""


class Baseline:
    """One DuckDB in this process, with so many threads and as much memory as it likes."""

    def __init__(self, threads: int) -> None:
        """Open it.

        Raises:
            UsageError: DuckDB is not installed.
        """
        try:
            import duckdb
        except ImportError as error:
            todo = "Run 'make setup' in a checkout: it is among the locked packages"
            raise UsageError("The baseline needs DuckDB", "the package 'duckdb' is not installed", todo) from error
        self._duck = duckdb.connect(config={"threads": threads})

    def rows(self, lake: Lake, version: Version, as_of_ms: int) -> pa.Table:
        """Return everybody's row at a midnight, as ``batch.rows.rows_as_of`` does."""
        cuts, constants = lake.cut(as_of_ms), FeatureConstants()
        start = days_start(as_of_ms, constants.month_window_d)
        files = lake.files(from_date=iso_date(start - constants.replay_window_ms), to_date=iso_date(as_of_ms))
        self._duck.register("lake", self._duck.read_parquet(list(map(str, files))))
        partitions = {"kafka_partition": pa.array(cuts.keys(), pa.int32()), "cut": list(cuts.values())}
        self._duck.register("cuts", pa.table(partitions))
        self._duck.register("facts", _facts(version))
        vectors = version.item_vectors
        self._duck.register("vectors", pa.table({"item_id": list(vectors.items), "vector": list(vectors.matrix)}))
        sums = ", ".join(f"sum(tenths / 10.0 * vector[{i + 1}])" for i in range(vectors.rank))
        affinities = ", ".join(f"coalesce(means['{genre}'], 0.0)" for genre in version.catalogue.genres)
        query = STATEMENT.format(sums=sums, affinities=affinities, replay_window=constants.replay_window_ms)
        found = self._duck.sql(query, params=_parameters(as_of_ms, start, constants, version.name)).to_arrow_table()
        return _conforming(found)


def _parameters(as_of_ms: int, month_ms: int, constants: FeatureConstants, version: str) -> dict[str, Any]:
    return {
        "as_of": as_of_ms,
        "month": month_ms,
        "sessions": days_start(as_of_ms, constants.session_window_d),
        "short": constants.short_window_h * HOUR_MS,
        "week": constants.week_window_h * HOUR_MS,
        "day": DAY_MS,
        "hour": HOUR_MS,
        "minute": MINUTE_MS,
        "replay_window": constants.replay_window_ms,
        "podcast_skip": constants.podcast_skip_ms,
        "music_skip": constants.music_skip_ms,
        "gap": constants.session_gap_ms,
        "half_life": constants.half_life_ms,
        "night_from": constants.night_from_hour,
        "night_until": constants.night_until_hour,
        "skip_tenths": constants.skip_tenths,
        "play_tenths": constants.play_tenths,
        "replay_tenths": constants.replay_tenths,
        "version": version,
    }


def _facts(version: Version) -> pa.Table:
    items = version.catalogue.items.values()
    columns: dict[str, Sequence[str | None]] = {
        "item_id": [item.item_id for item in items],
        "genre": [item.effective_genre for item in items],
        "show": [item.show for item in items],
    }
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})


def _conforming(found: pa.Table) -> pa.Table:
    nullable = pa.schema([field.with_nullable(True) for field in ROW_SCHEMA])
    return pa.table([found.column(field.name).cast(field.type) for field in nullable], schema=nullable)
