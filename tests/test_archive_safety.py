"""Broken and hostile exports: one line, exit code 2 and nothing half imported; or left out and counted; never followed."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.errors import UsageError
from lab.importers import bounds
from lab.importers.bounds import CHUNK, MOST_FILES, shown
from lab.importers.listenbrainz import take_listenbrainz
from lab.importers.spotify import take_spotify
from tests.exports import as_json, as_lines, as_zip, extended, listen, old, placed
from tests.saying import Say

ROWS = as_json(extended(), extended(ms_played=5))
NAME = "Streaming_History_Audio_2024_0.json"
GOOD = as_zip({NAME: ROWS})
DEEP = b'[{"ts":' * 50_000
ACCENTS = ROWS.replace(b"Slow Tide", "Plötzlich".encode())


def table_of(entries: int) -> bytes:
    """A zip that is nothing but a table of contents: so many entries, and the 64-bit end that they need."""
    name = b"endsong_0.json"
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
    size = entries * len(entry)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, size, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return entry * entries + end64 + locator + end


def encrypted() -> bytes:
    content = bytearray(GOOD)
    content[6] |= 1  # the flag of the local header, and that of the table of contents
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def twice() -> bytes:
    content = as_zip({NAME: ROWS, NAME.replace("_0", "_1"): as_json(old())})
    return content.replace(NAME.replace("_0", "_1").encode(), NAME.encode())


BROKEN: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "holds no list of listens: Input data was truncated"),
    "blank": (b" \n", "holds no list of listens"),
    "cut short": (ROWS[:-20], "may be cut short: download the export again"),
    "cut within a letter": (ACCENTS[: ACCENTS.index("ö".encode()) + 1], "it is not UTF-8"),
    "Latin-1": (ACCENTS.decode().encode("latin-1"), "it is not UTF-8"),
    "UTF-16": (ROWS.decode().encode("utf-16"), "it is UTF-16, not UTF-8"),
    "UTF-16 without a mark": (ROWS.decode().encode("utf-16-le"), "JSON is malformed"),
    "half a letter": (ROWS.replace(b"Slow", b"\\ud800"), "JSON is malformed"),
    "object": (b"{}", "Expected `array`, got `object`"),
    "text": (b'"listens"', "Expected `array`, got `str`"),
    "number": (b"42", "Expected `array`, got `int`"),
    "no JSON": (b"PDF-1.4", "JSON is malformed"),
    "lines": (as_lines(extended()), "Expected `array`, got `object`"),
    "two arrays": (ROWS + ROWS, "trailing characters"),
    "nested": (b"[" * 100_000 + b"]" * 100_000, "it is nested deeper than any export"),
    "nested and cut": (DEEP, "it is nested deeper than any export"),
    "empty list": (b"[]", "There is no usable row among 0"),
    "no rows": (b"[1, null, []]", "There is no usable row among 3"),
}


@pytest.mark.parametrize("wrong", BROKEN)
@pytest.mark.parametrize(
    "wrap", [lambda content: content, lambda content: as_zip({NAME: content}), gzip.compress], ids=["file", "zip", "gzip"]
)
def test_a_broken_file_is_refused_in_one_line_and_nothing_is_left(
    say: Say, tmp_path: Path, wrong: str, wrap: Callable[[bytes], bytes]
) -> None:
    content, why = BROKEN[wrong]
    placed(tmp_path / "export", wrap(content))
    assert why in say("import", "spotify", "export", "--out", "log").refusal
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


ZIPS: dict[str, tuple[bytes, str]] = {
    "no zip": (b"PK and nothing more", "cannot be read"),
    "cut short": (GOOD[:-30], "cannot be read"),
    "head alone": (GOOD[:80], "cannot be read"),
    "empty": (as_zip({}), "There is no listening history"),
    "nothing of interest": (as_zip({"Userdata.json": b"{}"}), "it holds 1 files of other kinds"),
    "broken within": (GOOD[:70] + bytes(20) + GOOD[90:], "cannot be read"),
    "one good, one broken": (as_zip({NAME: ROWS, "endsong_1.json": ROWS[:-9]}), "endsong_1.json holds no list of listens"),
    "encrypted": (encrypted(), "it is encrypted or packed in an odd way"),
    "odd method": (as_zip({NAME: ROWS}, zipfile.ZIP_BZIP2), "it is encrypted or packed in an odd way"),
    "other odd method": (as_zip({NAME: ROWS}, zipfile.ZIP_LZMA), "it is encrypted or packed in an odd way"),
    "a name twice": (twice(), "holds two files named"),
    "many files": (as_zip({f"{n}.txt": b"" for n in range(MOST_FILES + 1)}), "it holds more than 10,000 files"),
    "a million files": (table_of(1_000_000), "it holds more than 10,000 files"),
    "bomb": (as_zip({NAME: bytes(50 * CHUNK)}), "it unpacks to over 200 times its size"),
    "zip within": (as_zip({"my_data.zip": GOOD}), "1 left out: an archive within the export"),
    "parent": (as_zip({f"../../{NAME}": ROWS}), "1 left out: a name that leads elsewhere"),
    "absolute": (as_zip({f"/elsewhere/{NAME}": ROWS}), "1 left out: a name that leads elsewhere"),
    "drive": (as_zip({f"C:\\{NAME}": ROWS}), "1 left out: a name that leads elsewhere"),
    "backslashes": (as_zip({f"..\\{NAME}": ROWS}), "1 left out: a name that leads elsewhere"),
}


@pytest.mark.parametrize("wrong", ZIPS)
def test_a_broken_or_hostile_zip_is_refused_in_one_line_and_nothing_is_left(say: Say, tmp_path: Path, wrong: str) -> None:
    content, why = ZIPS[wrong]
    placed(tmp_path / "in" / "export.zip", content)
    assert why in say("import", "spotify", "in/export.zip", "--out", "log").refusal
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["in", "in/export.zip"]


def linked(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


def test_in_a_zip_what_leads_elsewhere_is_left_out_and_counted(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr(NAME, ROWS)
        zipped.writestr(linked("endsong_1.json"), "/elsewhere")
        zipped.writestr("../endsong_2.json", ROWS)
        zipped.writestr("endsong_3.json.gz", gzip.compress(ROWS))
        zipped.writestr("folder/", b"")
    report = take_spotify(placed(tmp_path / "e.zip", packed.getvalue())).report
    assert (report.events, report.files) == (
        2,
        {
            "left out: a link, or no ordinary file": 1,
            "left out: a name that leads elsewhere": 1,
            "left out: an archive within the export": 1,
            "files read": 1,
        },
    )


def test_in_a_folder_links_and_pipes_are_left_out_and_counted(tmp_path: Path) -> None:
    outside = placed(tmp_path / "outside.json", as_json(old()))
    folder = placed(tmp_path / "in" / NAME, ROWS).parent
    (folder / "endsong_1.json").symlink_to(outside)
    (folder / "endsong_2.json").symlink_to("nothing there")
    (folder / "round").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "endsong_3.json")
    placed(folder / "more.zip", GOOD)
    report = take_spotify(folder).report
    left_out = {"left out: a link, or no ordinary file": 4, "left out: an archive within the export": 1}
    assert (report.events, report.files) == (2, {**left_out, "files read": 1})


def test_a_folder_of_too_many_files_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_FILES", 20)
    for number in range(21):
        placed(tmp_path / "home" / f"{number}.txt", b"")
    with pytest.raises(UsageError, match="Name the export's own folder"):
        take_spotify(tmp_path / "home")


@pytest.mark.parametrize("path", ["none", "none/at/all", "pipe", "file/below"])
def test_what_is_no_file_and_no_folder_is_refused(tmp_path: Path, path: str) -> None:
    placed(tmp_path / "file", ROWS)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError):
        take_spotify(tmp_path / path)


def test_a_zip_of_any_name_is_known_as_one(tmp_path: Path) -> None:
    assert take_spotify(placed(tmp_path / "export.dat", GOOD)).report.events == 2


@pytest.mark.parametrize("form", ["file", "zip", "gzip", "folder"])
def test_a_file_larger_than_any_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setattr(bounds, "LARGEST_FILE", len(ROWS) - 1)
    contents = {"file": ROWS, "zip": GOOD, "gzip": gzip.compress(ROWS)}
    path = placed(tmp_path / "in" / NAME, contents.get(form, ROWS))
    with pytest.raises(UsageError, match="larger than any export"):
        take_spotify(path.parent if form == "folder" else path)


def test_all_files_together_are_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LARGEST_EXPORT", 3 * len(ROWS))
    path = placed(tmp_path / "e.zip", as_zip({f"endsong_{n}.json": ROWS for n in range(4)}))
    with pytest.raises(UsageError, match="larger than any export"):
        take_spotify(path)


def test_a_size_that_the_zip_lies_about_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LARGEST_FILE", 4 * CHUNK)
    content = bytearray(as_zip({NAME: os.urandom(CHUNK) * 5}))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<L", 1000)  # the table of contents says 1,000 bytes
    with pytest.raises(UsageError):
        take_spotify(placed(tmp_path / "e.zip", bytes(content)))


@pytest.mark.parametrize(
    ("content", "peak_mb"),
    [(as_zip({NAME: bytes(300 * CHUNK)}), 80), (gzip.compress(bytes(300 * CHUNK)), 80), (table_of(400_000), 10)],
    ids=["bomb", "gzip bomb", "table of contents"],
)
def test_a_bomb_goes_off_small(tmp_path: Path, content: bytes, peak_mb: int) -> None:
    path = placed(tmp_path / "bomb", content)
    tracemalloc.start()
    with pytest.raises(UsageError):
        take_spotify(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < peak_mb * CHUNK


def test_a_large_file_takes_a_few_times_its_size(tmp_path: Path) -> None:
    rows = [old(ms_played=ms, spotify_track_uri=f"spotify:track:{ms % 700:022d}") for ms in range(12_000)]
    path = placed(tmp_path / "large.json", as_json(*rows))
    del rows
    tracemalloc.start()
    taken = take_spotify(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken.report.events == 12_000
    assert peak < 3 * path.stat().st_size


def test_a_line_of_a_listenbrainz_export_is_bounded_as_a_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LARGEST_FILE", 500)
    with pytest.raises(UsageError, match="larger than any export"):
        take_listenbrainz(placed(tmp_path / "listens.jsonl", as_lines(listen(), listen(listened_at=1_700_000_000))))


@pytest.mark.parametrize("name", ["\x1b[31mred\nline", "a" * 500, "\u202egnp.exe"])
def test_a_name_out_of_an_export_is_shown_harmless(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        take_listenbrainz(placed(tmp_path / "e.zip", as_zip({f"listens/{name}.jsonl": b"{"})))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    assert shown(name).isprintable()
