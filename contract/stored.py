"""A row as the live path's store keeps it, in some hundred bytes: what ``serving`` reads, and ``streaming`` writes.

A head of fixed width, in which each feature has its place; the entries of the maps; the version's name. Genres and shows are
written as their places in that version's catalogue, ranked shows as those in its ranker. A row with a name that is not there,
which only a skew can make, is a JSON document instead.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from contract.errors import InfrastructureError
from contract.features import FEATURES
from contract.rows import Column, MapColumn, Rows
from contract.versions import Version

FORMAT = 1
_MAPS = tuple(feature for feature in FEATURES if feature.kind == "map")
_SIZES = struct.Struct(f"<BHHB{len(_MAPS)}I")
"""Format, genres, components of the vector, ranked shows, entries of each map."""
_NONE = -1
_WIDTHS = {"genre_affinity": 0, "user_vector": 1}


class UnknownName(LookupError):
    """A name is not in the catalogue."""


def packed_rows(rows: Rows, version: Version) -> list[bytes]:
    """Return each row as the store keeps it; ``version`` is the one that the rows name."""
    if not len(rows):
        return []
    try:
        return _packed(rows, version)
    except UnknownName:
        return [orjson.dumps(row) for row in rows.to_arrow().to_pylist(maps_as_pydicts="strict")]


def unpacked_row(blob: bytes, user_id: str, version_of: Callable[[str], Version | None]) -> dict[str, Any]:
    """Return a stored row with the fields of ``contract.features.ROW_SCHEMA``.

    Raises:
        InfrastructureError: the version that it names is not at hand.
    """
    if blob[:1] == b"{":
        found: dict[str, Any] = orjson.loads(blob)
        return found
    _, genres, rank, top, *entries = _SIZES.unpack_from(blob)
    kind = _head(genres, rank, top)
    head, at, tables = np.frombuffer(blob, kind, 1)[0], kind.itemsize, []
    for feature, count in zip(_MAPS, entries, strict=True):
        tables.append(np.frombuffer(blob, _entry(feature.dtype), count, at))
        at += count * _entry(feature.dtype).itemsize
    name = blob[at:].decode()
    version = version_of(name)
    if version is None:
        raise InfrastructureError(
            f"The row of '{user_id}' is of version '{name}'", "which this home does not have", "Give its home"
        )
    catalogue = version.catalogue
    maps = {
        feature.name: {catalogue.shows[code]: value for code, value in table.tolist()}
        for feature, table in zip(_MAPS, tables, strict=True)
    }
    row: dict[str, Any] = {"user_id": user_id, "version": name}
    for feature in FEATURES:
        if feature.kind == "map":
            row[feature.name] = maps[feature.name]
        elif feature.kind == "category":
            row[feature.name] = None if head[feature.name] == _NONE else catalogue.genres[head[feature.name]]
        else:
            row[feature.name] = _plain(head[feature.name].tolist())
    ranked = (None, None) if not top else ([_ranked(version)[code] for code in head["shows"]], head["scores"].tolist())
    row["shows"], row["scores"] = ranked
    return row | {name: int(head[name]) for name in ("as_of_ms", "partition", "cut")}


def _packed(rows: Rows, version: Version) -> list[bytes]:
    n, catalogue = len(rows), version.catalogue
    genres, rank = (_width(rows.features[name]) for name in _WIDTHS)
    top = 0 if rows.shows is None else rows.shows.shape[1]
    head = np.zeros(n, _head(genres, rank, top))
    head["format"], head["genres"], head["rank"], head["top"] = FORMAT, genres, rank, top
    head["as_of_ms"], head["cut"], head["partition"] = rows.as_of_ms, rows.cut, rows.partition
    parts: list[list[bytes]] = []
    for i, feature in enumerate(_MAPS):
        column = rows.features[feature.name]
        assert isinstance(column, MapColumn)
        head["entries"][:, i] = np.diff(column.starts)
        parts.append(_entries(column, feature.dtype, catalogue.shows))
    for feature in FEATURES:
        if feature.kind == "category":
            head[feature.name] = _codes(rows.features[feature.name], catalogue.genres)
        elif feature.kind != "map":
            head[feature.name] = rows.features[feature.name]
    if rows.shows is not None:
        head["shows"], head["scores"] = _codes(rows.shows.reshape(-1), _ranked(version)).reshape(n, top), rows.scores
    whole, width, name = head.tobytes(), head.itemsize, version.name.encode()
    return [b"".join((whole[i * width : (i + 1) * width], *(part[i] for part in parts), name)) for i in range(n)]


def _ranked(version: Version) -> tuple[str, ...]:
    """Return the shows that the version's ranker knows, in its order."""
    return tuple(show.show for show in version.ranker.shows) if version.ranker else ()


def _width(column: Column) -> int:
    assert isinstance(column, np.ndarray)
    return int(column.shape[1])


def _entries(column: MapColumn, dtype: str, names: Sequence[str]) -> list[bytes]:
    """Return the entries of each row."""
    entries = np.empty(len(column.keys), _entry(dtype))
    entries["code"], entries["value"] = column.places(names), column.values
    if (entries["code"] == _NONE).any():
        raise UnknownName
    whole, edges = entries.tobytes(), (column.starts * entries.itemsize).tolist()
    return [whole[start:end] for start, end in pairwise(edges)]


def _codes(column: Column, names: Sequence[str]) -> NDArray[np.int32]:
    assert isinstance(column, np.ndarray)
    place = _places(tuple(names))
    try:
        return np.array([place[name] for name in column.tolist()], np.int32)
    except KeyError as error:
        raise UnknownName(error.args[0]) from None


@lru_cache(maxsize=16)
def _places(names: tuple[str, ...]) -> dict[str | None, int]:
    return {None: _NONE, **{name: code for code, name in enumerate(names)}}


@lru_cache(maxsize=16)
def _head(genres: int, rank: int, top: int) -> np.dtype[Any]:
    widths = (genres, rank)
    fields: list[tuple[Any, ...]] = [
        *(("format", "u1"), ("genres", "<u2"), ("rank", "<u2"), ("top", "u1"), ("entries", "<u4", (len(_MAPS),))),
        *(("as_of_ms", "<i8"), ("cut", "<i8"), ("partition", "<i4")),
    ]
    for feature in FEATURES:
        if feature.kind == "vector":
            fields.append((feature.name, "<f8", (widths[_WIDTHS[feature.name]],)))
        elif feature.kind != "map":
            fields.append((feature.name, {"int64": "<i8", "float64": "<f8", "string": "<i4"}[feature.dtype]))
    return np.dtype([*fields, ("shows", "<i4", (top,)), ("scores", "<f8", (top,))])


@lru_cache(maxsize=2)
def _entry(dtype: str) -> np.dtype[Any]:
    return np.dtype([("code", "<i4"), ("value", {"int64": "<i8", "float64": "<f8"}[dtype])])


def _plain(value: Any) -> Any:
    """Return a number or a vector, with None for null."""
    if isinstance(value, list):
        return None if value and all(x != x for x in value) else value
    return None if value != value else value
