"""What the audit says of one's own data: counted by hand for a few rows, and the home zone of listeners whose zone is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.windows import HOUR_MS, parse_instant
from lab.importers.audit import audit_of
from lab.importers.spotify import take_spotify
from lab.importers.table import take_tables
from lab.importers.taken import MOST_FIELDS, OTHERS, Fields
from lab.importers.zone import FEWEST_DAYS, OFFSETS, home_zone
from tests.desk import AT_S, Desk, mapping
from tests.exports import SECRETS, as_json, as_lines, chapter, episode, extended, listen, old, placed
from tests.saying import Say

MONDAY_MS = parse_instant("2024-03-04")
AWAKE = (*range(8, 24), 22, 22, 23, 8)
"""The local hours at which the toy listener listens: from eight to midnight, most of all in the evening."""


def lived(offset: int, days: int = 60, hours: tuple[int, ...] = AWAKE, seed: int = 0) -> Any:
    """The instants of a listener whose clocks stand so many hours ahead of UTC: five listens a day."""
    chance = np.random.default_rng(seed)
    local = [MONDAY_MS + day * 24 * HOUR_MS + int(hour) * HOUR_MS for day in range(days) for hour in chance.choice(hours, 5)]
    return np.sort(np.array(local, np.int64) - offset * HOUR_MS + 1000)


@pytest.mark.parametrize("offset", OFFSETS)
def test_the_home_zone_is_read_off_the_quiet_hours(offset: int) -> None:
    zone = home_zone(lived(offset))
    assert zone is not None
    apart = abs(zone.utc_offset_hours - offset)
    assert min(apart, 24 - apart) <= 1
    assert (zone.sure, zone.night_share < 0.05) == ("high", True)


def test_somebody_silent_for_eight_hours_is_asleep_in_their_middle() -> None:
    heard = lived(3, hours=tuple(range(8, 24)))  # silent from 0 to 8 o'clock, whose middle is four o'clock
    zone = home_zone(heard)
    assert zone is not None
    assert zone.utc_offset_hours == 3


def test_who_sleeps_three_hours_later_looks_as_if_living_three_hours_west() -> None:
    zone = home_zone(lived(2, hours=tuple(range(11, 27))))
    assert zone is not None
    assert zone.utc_offset_hours == -1


def test_somebody_who_listens_at_all_hours_has_no_sure_home() -> None:
    zone = home_zone(lived(2, hours=tuple(range(24)), days=40))
    assert zone is not None
    assert zone.sure == "low"


def test_few_days_say_nothing_and_the_same_days_always_say_the_same() -> None:
    assert home_zone(lived(0, days=FEWEST_DAYS - 1)) is None
    found = [home_zone(lived(0, days=FEWEST_DAYS)) for _ in range(2)]
    assert found[0] is not None
    assert found[0] == found[1]


def at(day: int, hour: int) -> str:
    """An instant of the week that begins on Monday, 4 March 2024."""
    return (datetime(2024, 3, 4, tzinfo=UTC) + timedelta(days=day, hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")


WEEK = [
    extended(ts=at(0, 9), ms_played=60_000),
    extended(ts=at(0, 9), ms_played=120_000, conn_country="DE"),
    extended(ts=at(1, 18), ms_played=60_000, platform="car"),
    episode(ts=at(4, 23), ms_played=180_000),
    chapter(ts=at(5, 0), ms_played=60_000),
    old(ts=at(6, 13), ms_played=120_000),
    old(ts=None),
]


def test_a_week_is_counted_as_by_hand(tmp_path: Path) -> None:
    found = audit_of(take_spotify(placed(tmp_path / "e.json", as_json(*WEEK)))).document()
    assert found["kinds"] == {
        "music": {"listens": 4, "minutes": 6.0, "share": 0.6},  # 1 + 2 + 1 + 2 of 10 minutes
        "podcast": {"listens": 2, "minutes": 4.0, "share": 0.4},  # 3 + 1
    }
    told = found["inferred"]
    assert (told["home_zone"], told["clock"]) == (None, "UTC")
    assert told["weekdays"] == {"listens": 4, "minutes": 7.0, "days": 3, "busiest_hours": [9, 18, 23]}
    assert told["weekend"] == {"listens": 2, "minutes": 3.0, "days": 2, "busiest_hours": [0, 13]}
    assert {hour: count for hour, count in enumerate(told["hours"]) if count} == {0: 1, 9: 2, 13: 1, 18: 1, 23: 1}
    assert (told["countries"], told["devices"]) == ({"SE": 5, "DE": 1}, {"phone": 5, "car": 1})
    assert (told["first_day"], told["last_day"]) == ("2024-03-04", "2024-03-10")


def test_fields_are_counted_where_they_have_a_value(tmp_path: Path) -> None:
    fields = audit_of(take_spotify(placed(tmp_path / "e.json", as_json(*WEEK)))).document()["fields"]
    assert fields["kept"]["ms_played"] == 7
    assert fields["kept"]["ts"] == 6  # one is null
    assert (fields["kept"]["episode_name"], fields["kept"]["audiobook_title"], fields["kept"]["spotify_track_uri"]) == (1, 1, 5)
    assert (fields["dropped"]["username"], fields["dropped"]["ip_addr_decrypted"], fields["dropped"]["ip_addr"]) == (2, 2, 5)
    assert "skipped" not in fields["dropped"]  # it is null in all rows
    assert list(fields["dropped"].values()) == sorted(fields["dropped"].values(), reverse=True)


def test_the_fields_of_a_listen_are_named_by_their_place(say: Say, tmp_path: Path) -> None:
    placed(tmp_path / "listens.jsonl", as_lines(listen({"duration_ms": 9, "isrc": ""}), listen()))
    fields = say("import", "listenbrainz", "listens.jsonl", "--audit", "--json").document["audit"]["fields"]
    inner = "track_metadata.additional_info"
    names = {"track_metadata.artist_name": 2, "track_metadata.track_name": 2}
    assert fields["kept"] == {"listened_at": 2, **names, f"{inner}.duration_ms": 1}
    others = {"inserted_at": 2, "track_metadata.recording_msid": 2, "user_name": 2}
    assert fields["dropped"] == {**others, f"{inner}.submission_client": 2}


def test_the_routines_are_told_by_the_clock_of_the_home(tmp_path: Path) -> None:
    rows = [extended(ts=datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")) for ms in lived(9)]
    audit = audit_of(take_spotify(placed(tmp_path / "e.json", as_json(*rows))))
    assert audit.clock in {"UTC+8", "UTC+9", "UTC+10"}
    assert {22, 23} & {(hour + 9 - int(audit.clock[3:])) % 24 for hour in audit.routines["weekdays"]["busiest_hours"]}
    assert sum(audit.hours[1:7]) == 0
    home = next(line for line in audit.lines() if line.startswith("  home"))
    assert f"clocks at {audit.clock}, sure: high" in home


def test_of_several_listeners_no_home_is_told(desk: Desk) -> None:
    rows = "".join(f"{day % 2},7,{AT_S + day * 86_400},100\n" for day in range(40))
    desk.take(f"user,item,at,played\n{rows}", mapping())
    assert audit_of(take_tables(desk.data, desk.map)).zone is None


def test_the_audit_of_a_table_names_its_columns(say: Say, desk: Desk) -> None:
    desk.take("user,item,at,played,mail,note\n1,7,1625022948,100,a@b.example,\n2,8,1625022950,200,,\n")
    found = say("import", "csv", desk.data, "--mapping", desk.map, "--out", "again", "--audit", "--json").document
    assert found["audit"]["fields"] == {"kept": {"at": 2, "item": 2, "played": 2, "user": 2}, "dropped": {"mail": 1, "note": 0}}
    assert found["report"]["events"] == 2
    assert (desk.root / "again" / "import.json").exists()


def test_the_audit_alone_writes_nothing(say: Say, tmp_path: Path) -> None:
    placed(tmp_path / "e.json", as_json(*WEEK))
    found = say("import", "spotify", "e.json", "--audit", "--json").document
    assert set(found) == {"report", "audit"}
    assert (found["report"]["rows"], found["report"]["events"]) == (7, 6)
    assert [path.name for path in tmp_path.iterdir()] == ["e.json"]


def test_the_audit_comes_before_the_report_and_shows_no_value_that_is_dropped(say: Say, tmp_path: Path) -> None:
    placed(tmp_path / "e.json", as_json(*WEEK))
    said = say("import", "spotify", "e.json", "--out", "log", "--audit")
    lines = said.out.splitlines()
    assert said.code == 0
    assert lines[0] == "Fields, and how many of 7 rows had a value:"
    assert lines.index("What the kept fields tell:") < next(
        i for i, line in enumerate(lines) if line.startswith("Spotify: 6 of 7 rows")
    )
    assert "       2  dropped  username" in lines
    assert "  podcast   2 listens, 4.0 minutes, 40% of the time" in lines
    assert not any(secret in said.out for secret in SECRETS)


@pytest.mark.parametrize("name", ["\x1b[2J", "a\nb", "x" * 900, "\u202e", ""])
def test_a_field_of_an_odd_name_is_printed_harmless(tmp_path: Path, name: str) -> None:
    audit = audit_of(take_spotify(placed(tmp_path / "e.json", as_json(extended(**{name: "v"})))))
    assert all(line.isprintable() and len(line) < 200 for line in audit.lines())


def test_new_names_in_every_row_do_not_fill_the_memory() -> None:
    fields = Fields(frozenset(("ts",)))
    for number in range(3 * MOST_FIELDS):
        fields.see(("ts", f"field {number}"))
    assert len(fields.rows) <= MOST_FIELDS + 2
    assert fields.used == {"ts": 3 * MOST_FIELDS}
    assert sum(fields.dropped.values()) == 3 * MOST_FIELDS
    assert fields.dropped[OTHERS] > MOST_FIELDS
