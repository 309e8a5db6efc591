"""The rows of a JSON file, each still undecoded: so that what is personal in a row is passed over and never becomes a value."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from contract.errors import UsageError
from lab.importers.bounds import shown

Raw = msgspec.Raw

_LIST = msgspec.json.Decoder(list[Raw])
_ONE = msgspec.json.Decoder(Raw)
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_NOTHING = frozenset((b"null", b'""', b"[]", b"{}"))
_PIECE = 1 << 20


def rows_of_list(name: str, content: bytearray) -> Iterator[Raw]:
    """Return the rows of a file that holds one JSON array.

    Raises:
        UsageError: it is not UTF-8, no JSON, cut short, nested too deeply, or no array.
    """
    text = _utf8(name, content)
    with _json(name):
        rows = _LIST.decode(text)
    yield from rows


def rows_of_lines(name: str, content: bytearray) -> Iterator[Raw]:
    """Return the rows of a file with a JSON document a line; or of one array; or a single document over many lines.

    Raises:
        UsageError: it is not UTF-8, no JSON, cut short, or nested too deeply.
    """
    text = _utf8(name, content)
    lines = _lines(content, len(content) - len(text))
    number, first = next(lines, (0, b""))
    if first.startswith(b"["):
        yield from rows_of_list(name, content)
    elif first and not _is_whole(first):
        with _json(name):
            row = _ONE.decode(text)
        yield row
    elif first:
        yield _ONE.decode(first)
        for number, line in lines:
            with _json(f"{name}, line {number},"):
                row = _ONE.decode(line)
            yield row


def members_of(row: Raw) -> dict[str, Raw]:
    """Return the members of an object by name, their values undecoded; ``{}`` for what is no object."""
    try:
        return _MEMBERS.decode(row)
    except msgspec.DecodeError:
        return {}


def filled(members: dict[str, Raw]) -> Iterator[str]:
    """Return the names of the members that hold something."""
    return (name for name, value in members.items() if memoryview(value).nbytes > 4 or bytes(value) not in _NOTHING)


def _utf8(name: str, content: bytearray) -> memoryview:
    """Return the text behind a byte order mark, checked piece by piece: a copy as ``str`` would take up to four times as much."""
    text = memoryview(content)[len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0 :]
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(text), _PIECE):
            decoder.decode(text[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        why = "it is UTF-16, not UTF-8" if utf16 else f"it is not UTF-8: {error.reason}"
        raise UsageError(f"{shown(name)} cannot be read", why, "Give the export as it came, not saved anew") from error
    return text


def _lines(content: bytearray, start: int) -> Iterator[tuple[int, bytes]]:
    """Return the lines that are not blank, with their numbers."""
    number = 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        number += 1
        if line := bytes(content[start:end]).strip():
            yield number, line
        start = end + 1


def _is_whole(line: bytes) -> bool:
    try:
        _ONE.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


@contextmanager
def _json(name: str) -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        raise UsageError(
            f"{shown(name)} cannot be read", "it is nested deeper than any export", "Give the export as it came"
        ) from error
    except msgspec.DecodeError as error:
        other = isinstance(error, msgspec.ValidationError)
        todo = "Name an export, or a file of one" if other else "It may be cut short: download the export again"
        raise UsageError(f"{shown(name)} holds no list of listens", str(error), todo) from error
