"""Whether a table of rows can be judged at all: it has every column of ``ROW_SCHEMA``, each of its type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from contract.errors import CannotJudge
from contract.features import ROW_SCHEMA

Filters = list[tuple[str, str, object]]
_MEND = "Let the path that wrote it write it again"


def require_columns(schema: pa.Schema, what: str) -> None:
    """Make sure that a table has all columns of a row; others beside them are left alone.

    Raises:
        CannotJudge: one is missing, or of another type: comparing nulls in its place would be a verdict about nothing.
    """
    missing = [name for name in ROW_SCHEMA.names if name not in schema.names]
    if missing:
        raise CannotJudge(f"{what} cannot be judged", f"the column '{missing[0]}' is missing", _MEND)
    for wanted in ROW_SCHEMA:
        found = schema.field(wanted.name).type
        if found != wanted.type:
            raise CannotJudge(f"{what} cannot be judged", f"'{wanted.name}' is {found}, not {wanted.type}", _MEND)


def read_rows(path: Path, filters: Filters | None = None) -> pa.Table:
    """Read a Parquet file, or a folder of them, of ``ROW_SCHEMA``.

    Raises:
        CannotJudge: one cannot be read, or lacks a column, or has one of another type.
    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    tables = [_read(file, filters) for file in files]
    return pa.concat_tables([ROW_SCHEMA.empty_table(), *tables])


def read_table(path: Path, **options: Any) -> pa.Table:
    """Read any Parquet file, or a folder of them; ``options`` are those of ``pyarrow.parquet.read_table``.

    Raises:
        CannotJudge: it cannot be read.
    """
    with _readable(path):
        return pq.read_table(path, **options)


def _read(file: Path, filters: Filters | None) -> pa.Table:
    with _readable(file):
        require_columns(pq.read_schema(file), f"The file {file}")
        return pq.read_table(file, schema=ROW_SCHEMA, filters=filters)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise CannotJudge(f"The file {path} cannot be read", str(error).splitlines()[0], _MEND) from error
