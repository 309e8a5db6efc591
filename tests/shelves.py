"""Versions with shelves that are known by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from contract.catalogue import Catalogue, Item
from contract.home import Home
from contract.recommendation import DISCOVER_WEEKLY, FILE, FOR_YOU, NEIGHBOURS, POPULAR, SCHEMA, Reason, Recommended
from contract.version import INITIAL, Manifest, Version
from contract.version import POPULAR as POPULAR_FILE
from contract.versions import Versions
from contract.windows import DAY_MS

NIGHT = 20_461 * DAY_MS
CATALOGUE = Catalogue.of(
    [
        Item("song-a", "Blue", artist="Ada", genre="jazz"),
        Item("song-b", "Red", artist="Bo", genre="rock"),
        Item("talk-a", "Hello", show="Talks", show_genre="news"),
    ]
)
Shelf = tuple[Recommended, ...]
BLUE = Recommended("song-a", 0.5, (Reason(NEIGHBOURS, value=0.75),))
RED = Recommended("song-b", 0.25, (Reason(POPULAR, "SE", 0.5),))
TALK = Recommended("talk-a", 0.125)
GONE = Recommended("song-gone", 0.0625)
ANN: Mapping[str, Shelf] = {DISCOVER_WEEKLY: (TALK, GONE), FOR_YOU: (BLUE, RED)}
BOB: Mapping[str, Shelf] = {FOR_YOU: (RED,)}
BEST = (Recommended("song-b", 0.75, (Reason(POPULAR, value=0.75),)),)


def publish_shelves(
    home: Home, name: str, of: Mapping[str, Mapping[str, Shelf]], popular: Sequence[Recommended] = BEST
) -> Version:
    """Publish a version of some listeners' shelves, and their rows as far as they tell who is known."""
    versions = Versions(home.versions)
    with versions.building(name) as draft:
        CATALOGUE.write(draft / "catalogue.parquet")
        write_shelves(draft, of)
        (draft / POPULAR_FILE).write_bytes(msgspec.json.encode(tuple(popular)))
        _write_people(draft, sorted(of))
        return versions.publish(draft, Manifest(name, NIGHT, {0: 4}, INITIAL, NIGHT, None, len(of)))


def write_shelves(draft: Path, of: Mapping[str, Mapping[str, Shelf]]) -> None:
    rows = [_row(user, shelf, items) for user, shelves in sorted(of.items()) for shelf, items in sorted(shelves.items())]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), draft / FILE)


def _row(user: str, shelf: str, items: Shelf) -> dict[str, object]:
    return {
        "user_id": user,
        "shelf": shelf,
        "items": [one.item for one in items],
        "scores": [one.score for one in items],
        "reasons": [[msgspec.structs.asdict(reason) for reason in one.reasons] for one in items],
    }


def _write_people(draft: Path, users: Sequence[str]) -> None:
    (draft / "rows").mkdir()
    plain = {
        "user_id": "",
        "as_of_ms": NIGHT,
        "active_days_28d": 3,
        "listen_minutes_28d": 90.0,
        "top_genre": "jazz",
        "skip_rate_28d": 0.25,
    }
    rows = [{**plain, "user_id": user} for user in users]
    pq.write_table(pa.Table.from_pylist(rows, _ROWS), draft / "rows" / "part-00000.parquet")
    people = pa.table({"user_id": pa.array(users, pa.string()), "cluster": pa.array(["explorers"] * len(users), pa.string())})
    pq.write_table(people, draft / "profiles.parquet")


_ROWS = pa.schema(
    [
        ("user_id", pa.string()),
        ("as_of_ms", pa.int64()),
        ("active_days_28d", pa.int64()),
        ("listen_minutes_28d", pa.float64()),
        ("top_genre", pa.string()),
        ("skip_rate_28d", pa.float64()),
    ]
)
