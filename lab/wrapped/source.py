"""Where a review's rows come from: the home's lake, a log folder, or a class. Duplicates count once, as everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from contract.catalogue import Catalogue
from contract.errors import CannotJudge, UsageError
from contract.features import FeatureConstants
from contract.home import Home
from contract.lake import Lake
from contract.versions import Versions
from contract.windows import MINUTE_MS
from lab.classroom.group import Group, from_folder
from lab.folder import MARK
from lab.wrapped.log import COLUMNS, Log

READ = ("kafka_partition", "kafka_offset", "event_id", "user_id", "item_id", "kind", "ts_ms", "ms_played", "utc_offset_min")
SAME = ["user_id", "event_id", "ts_ms"]
"""A retry repeats these."""
CONSTANTS = FeatureConstants()


def from_home(home: Home) -> Log:
    """Read the lake of a home, with the catalogue of its current version (none where nothing was published).

    Raises:
        CannotJudge: the lake holds no events.
        InfrastructureError: the lake's own log is broken.
        UsageError: a file cannot be read.
    """
    files = Lake(home.lake).files()
    if not files:
        why = f"{home.lake} holds no committed event"
        raise CannotJudge("The lake is empty", why, "Run something first, or name a log folder with --log")
    rows = _read(files).sort_values(["kafka_partition", "kafka_offset"], kind="stable")
    return Log(listens(rows), _published(home), "the lake")


def from_log(folder: Path) -> Log:
    """Read a log folder (of ``import`` or ``simulate``), or a class's folder (``engagement.csv``, ``songs.csv``).

    Raises:
        UsageError: it is neither, holds no events, or cannot be read.
    """
    if (folder / "engagement.csv").exists():
        return from_class(from_folder(folder))
    if not (folder / MARK).exists():
        why = f"it holds no {MARK} and no engagement.csv"
        raise UsageError(f"{folder} is no log folder", why, "Make one with 'skewlab import' or 'skewlab simulate'")
    files = sorted((folder / "log").glob("*.parquet"))
    if not files:
        raise UsageError(f"{folder} holds no events", "", "Import some")
    return Log(listens(_read(files)), _catalogue(folder / "catalogue.parquet"), "the log")


def from_class(group: Group) -> Log:
    """Take a class's scores as listens: a skip, a play, or for a song that was played again two plays. Nobody knows when."""
    matrix = group.heard.matrix.tocoo()
    tenths = np.rint(matrix.data * 10)
    again = tenths >= group.constants.replay_tenths
    user, item = np.array(group.heard.users, object)[matrix.row], np.array(group.heard.items, object)[matrix.col]
    once = _frame(user, item, play=tenths > group.constants.skip_tenths, ts=0)
    rows = pd.concat([once, _frame(user[again], item[again], play=np.ones(again.sum(), bool), ts=1)], ignore_index=True)
    return Log(rows, group.catalogue, "the class", timed=False, measured=False, silent=group.heard.users)


def _frame(user: np.ndarray, item: np.ndarray, *, play: np.ndarray, ts: int) -> pd.DataFrame:
    """Return untimed rows: ``ts`` only says what came after what; the amount is 1 a play."""
    amount = play.astype(np.int64)
    values = dict(zip(COLUMNS, (user, item, False, play, amount, ts, ts), strict=True))
    return pd.DataFrame(values, columns=list(COLUMNS))


def listens(rows: pd.DataFrame) -> pd.DataFrame:
    """Turn rows of the lake, the earliest first, into those of a log (``COLUMNS``); the amount is in ms."""
    kept = rows.drop_duplicates(SAME)
    podcast = kept["kind"] == "podcast"
    least = np.where(podcast, CONSTANTS.podcast_skip_ms, CONSTANTS.music_skip_ms)
    return pd.DataFrame(
        {
            "user": kept["user_id"].astype("category"),
            "item": kept["item_id"].astype("category"),
            "podcast": podcast,
            "play": kept["ms_played"] >= least,
            "amount": kept["ms_played"],
            "ts_ms": kept["ts_ms"],
            "local_ms": kept["ts_ms"] + kept["utc_offset_min"].astype("int64") * MINUTE_MS,
        }
    ).reset_index(drop=True)


def _read(files: Sequence[Path]) -> pd.DataFrame:
    """Read files of the lake's columns in their order.

    Raises:
        UsageError: one cannot be read, or lacks a column.
    """
    tables = []
    for path in files:
        try:
            tables.append(pq.ParquetFile(path).read(columns=list(READ)).select(READ))
        except (OSError, KeyError, pa.ArrowException) as error:
            raise UsageError(f"{path} cannot be read", str(error), "Make the log again") from error
    return pa.concat_tables(tables).to_pandas()


def _published(home: Home) -> Catalogue:
    versions = Versions(home.versions)
    there = versions.current in versions.names()
    return _catalogue(versions.get(versions.current).folder / "catalogue.parquet") if there else Catalogue.of([])


def _catalogue(path: Path) -> Catalogue:
    try:
        return Catalogue.read(path)
    except FileNotFoundError:
        return Catalogue.of([])
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read", str(error), "Import the log again") from error
