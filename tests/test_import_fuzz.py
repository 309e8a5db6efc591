"""Ten thousand broken exports, seeded: each is imported or refused in one line, and what is refused leaves nothing behind."""

from __future__ import annotations

import copy
import gzip
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.errors import UsageError
from lab.importers.bounds import CHUNK
from lab.importers.listenbrainz import take_listenbrainz
from lab.importers.spotify import take_spotify
from lab.importers.taken import Taken
from tests.desk import valid_events
from tests.exports import as_json, as_lines, as_zip, basic, basic_episode, chapter, episode, extended, listen, old

pytestmark = pytest.mark.fuzz
ROUNDS = 2_500
"""For each of four kinds of export: 10,000 in all, in some ten seconds."""
NIGHT = "2024-03-01T2"
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 10**30, -(10**400), 1e308, float("nan"), float("inf"), "", " ", "x" * 700, "\x00", "\ud800", "\u202e",
    [], {}, [[]], {"a": {"b": []}}, "2024-13-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 86_400_001, "12", b"",
)  # fmt: skip

ROWS = {
    "spotify": [old(), extended(ts=f"{NIGHT}1:00:00Z"), episode(), chapter(), extended(ms_played=0), basic(), basic_episode()],
    "listenbrainz": [
        listen(),
        listen({"duration_ms": 9_000}),
        listen({"duration": 100, "duration_played": 5}, listened_at=1_709_320_000),
    ],
}
TAKE: dict[str, Callable[[Path], Taken]] = {"spotify": take_spotify, "listenbrainz": take_listenbrainz}
FILES = {"spotify": "MyData/endsong_0.json", "listenbrainz": "listens/2024/3.jsonl"}


def odd_rows(chance: random.Random, rows: list[Any]) -> list[Any]:
    """Put odd values, names and rows in the place of good ones."""
    rows = json.loads(json.dumps(rows))
    for _ in range(chance.randrange(1, 5)):
        place, key = rows, chance.randrange(len(rows))
        while chance.random() < 0.8 and isinstance(place[key], dict | list) and place[key]:
            place, key = place[key], chance.choice(list(place[key]) if isinstance(place[key], dict) else range(len(place[key])))
        value = copy.deepcopy(chance.choice(ODD))
        place[key] = nested(chance.randrange(1, 400)) if value == b"" else value
    return rows


def nested(depth: int) -> Any:
    found: Any = 1
    for _ in range(depth):
        found = [found]
    return found


def cut(chance: random.Random, content: bytes) -> bytes:
    return content[: chance.randrange(len(content))]


def hole(chance: random.Random, content: bytes) -> bytes:
    start = chance.randrange(len(content))
    return content[:start] + content[start + chance.randrange(40) :]


def flipped(chance: random.Random, content: bytes) -> bytes:
    broken = bytearray(content)
    for _ in range(chance.randrange(1, 8)):
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
    return bytes(broken)


def stuffed(chance: random.Random, content: bytes) -> bytes:
    start = chance.randrange(len(content))
    what = chance.choice([chance.randbytes(9), b"[" * 3_000, b"\x00", b'"', b"}", b"\xff\xfe", b"1e999", content[:60]])
    return content[:start] + what + content[start:]


def written_anew(chance: random.Random, content: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode(
        chance.choice(["utf-16", "utf-8-sig", "utf-16-le", "utf-32", "cp1252"]), "replace"
    )


BREAKS = (cut, hole, flipped, stuffed, written_anew)


def broken(chance: random.Random, source: str, packed: bool) -> bytes:
    """Return an export of which its rows, its text or its packing is broken, or two of these; or, by chance, none."""
    write = as_lines if source == "listenbrainz" and chance.random() < 0.7 else as_json
    content = write(*(odd_rows(chance, ROWS[source]) if chance.random() < 0.6 else ROWS[source]))
    if chance.random() < 0.4:
        content = chance.choice(BREAKS)(chance, content)
    if packed:
        content = gzip.compress(content, 1) if chance.random() < 0.2 else as_zip({FILES[source]: content, "user.json": b"{}"})
        if chance.random() < 0.6:
            content = chance.choice((cut, hole, flipped, stuffed))(chance, content)
    return content


def imported(take: Callable[[Path], Taken], path: Path, out: Path, number: int) -> str:
    """Import an export; return the refusal, or nothing. Every fourth is written, every hundredth played."""
    try:
        taken = take(path)
        report = taken.write(out) if number % 4 == 0 else taken.report
    except UsageError as refusal:
        return str(refusal)
    assert report.rows == report.events + report.doubled + sum(report.refused.values())
    if number % 100 == 0:
        assert len(valid_events(out)) == report.events
    shutil.rmtree(out, ignore_errors=True)
    return ""


@pytest.mark.parametrize("packed", [False, True], ids=["file", "zip"])
@pytest.mark.parametrize("source", ROWS)
def test_a_broken_export_is_imported_or_refused_and_never_half(tmp_path: Path, source: str, packed: bool) -> None:
    chance = random.Random(f"{source} {packed}")
    path, out, met = tmp_path / "export", tmp_path / "out", Counter[str]()
    for number in range(ROUNDS):
        path.write_bytes(broken(chance, source, packed))
        refusal = imported(TAKE[source], path, out, number)
        assert [left.name for left in tmp_path.iterdir()] == ["export"], number
        assert refusal.isprintable(), number
        met["refused" if refusal else "imported"] += 1
    assert min(met["refused"], met["imported"]) > ROUNDS / 10
    assert path.stat().st_size < CHUNK
