"""A year in review by hand: a toy log whose every figure is worked out here.

Ada's clock is an hour ahead of UTC. Her listens (UTC; a song under 30 s is skipped, a minute and a half is a play)::

    d1  2026-01-30 06:10  anthem   90 s                    07:10 by her clock
    d2  2026-01-31 22:59  anthem   90 s                    23:59, still January
    d3  2026-01-31 23:00  ballad   90 s                    00:00 on February 1
    d4  2026-02-01 12:00  chant    10 s   skipped
    d5  2026-02-01 12:05  anthem   90 s                    within a day of d2: played again
    d6  2026-02-04 12:00  dirge    90 s
    d7  2026-02-04 12:30  talk-1  600 s   a podcast
    d7  the same id and time once more: a retry, not counted

Anthem and chant are by A (pop), ballad and dirge by B (rock). Bob has played anthem for 200 s, Cleo skipped it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from contract.catalogue import Catalogue, Item
from contract.errors import CannotJudge, UsageError
from contract.event import Event, Events
from contract.home import Home
from contract.records import Watermark
from contract.windows import DAY_MS, parse_instant
from lab.classroom.group import built_in
from lab.classroom.lesson import lesson
from lab.folder import write_log
from lab.wrapped.command import Wanted, wrapped
from lab.wrapped.figures import Share
from tests.saying import Say
from tests.toylake import ToyLog, event, home_with

ITEMS = Catalogue.of(
    [
        Item("anthem", "Anthem", artist="A", genre="pop"),
        Item("ballad", "Ballad", artist="B", genre="rock"),
        Item("chant", "Chant", artist="A", genre="pop"),
        Item("dirge", "Dirge", artist="B", genre="rock"),
        Item("talk-1", "First", show="The Talk", show_genre="news"),
    ]
)


def listen(user: str, item: str, at: str, seconds: int = 90, **fields: Any) -> Event:
    return event(user, item, parse_instant(at), ms_played=seconds * 1_000, **fields)


def adas() -> list[Event]:
    heard = [
        ("anthem", "2026-01-30T06:10", 90),
        ("anthem", "2026-01-31T22:59", 90),
        ("ballad", "2026-01-31T23:00", 90),
        ("chant", "2026-02-01T12:00", 10),
        ("anthem", "2026-02-01T12:05", 90),
        ("dirge", "2026-02-04T12:00", 90),
    ]
    songs = [listen("ada", item, at, seconds, utc_offset_min=60) for item, at, seconds in heard]
    talk = listen("ada", "talk-1", "2026-02-04T12:30", 600, utc_offset_min=60, kind="podcast")
    return [*songs, talk, talk]


def others() -> list[Event]:
    return [listen("bob", "anthem", "2026-02-05", 200), listen("cleo", "anthem", "2026-02-05", 9)]


def folder_of(place: Path, events: Sequence[Event], catalogue: Catalogue = ITEMS) -> Path:
    days: dict[int, list[Event]] = {}
    for one in sorted(events, key=lambda e: e.received_at_ms):
        days.setdefault(one.received_at_ms // DAY_MS, []).append(one)
    write_log(place, catalogue, (Events.of(day, range(len(day))) for day in days.values()))
    return place


def review(folder: Path, *names: str, **wanted: Any) -> dict[str, Any]:
    return wrapped(Wanted(names, log=folder, **wanted))[0]


@pytest.fixture
def ada(tmp_path: Path) -> dict[str, Any]:
    return review(folder_of(tmp_path / "log", [*adas(), *others()]), "ada")


def test_a_retry_is_counted_once_and_a_skip_is_no_play(ada: dict[str, Any]) -> None:
    assert (ada["listens"], ada["plays"]) == (7, 6)  # eight records, one a retry; chant was skipped


def test_minutes_are_of_all_listens(ada: dict[str, Any]) -> None:
    assert ada["minutes"] == (5 * 90 + 10 + 600) / 60


def test_songs_rank_by_plays_and_equals_by_title(ada: dict[str, Any]) -> None:
    songs = [(song["title"], song["artist"], song["plays"]) for song in ada["top_songs"]]
    assert songs == [("Anthem", "A", 3), ("Ballad", "B", 1), ("Dirge", "B", 1)]


def test_the_top_artist_and_genre_are_those_of_most_song_plays(ada: dict[str, Any]) -> None:
    assert ada["top_artist"] == {"artist": "A", "plays": 3}  # B has 2
    assert ada["top_genre"] == "pop"  # 3 to 2


def test_the_share_is_the_rank_by_time_among_who_played_the_artist(ada: dict[str, Any]) -> None:
    # ada 3 x 90 + 10 (chant, skipped) = 280 s; bob 200 s; cleo only skipped and is not among them
    assert ada["artist_share"] == {"rank": 1, "listeners": 2, "top_percent": 50}


@pytest.mark.parametrize(("rank", "listeners", "percent"), [(1, 40, 3), (1, 100, 1), (2, 2, 100), (3, 200, 2), (1, 2, 50)])
def test_the_percent_is_rounded_up(rank: int, listeners: int, percent: int) -> None:
    assert Share(rank, listeners).top_percent == percent


def test_equals_share_the_better_rank(tmp_path: Path) -> None:
    heard = [listen(user, "anthem", f"2026-02-0{day}") for user in ("ada", "bob") for day in range(1, 6)]
    folder = folder_of(tmp_path / "log", heard)
    assert [review(folder, user)["artist_share"]["rank"] for user in ("ada", "bob")] == [1, 1]


def test_the_calendar_is_the_listeners_own(ada: dict[str, Any]) -> None:
    assert (ada["from"], ada["to"]) == ("2026-01-30", "2026-02-04")
    assert ada["busiest_month"] == "2026-02"  # plays: 2 in January; ballad, anthem, dirge and the talk in February
    assert (ada["earliest_hour"], ada["latest_hour"]) == (0, 23)
    assert ada["days"] == 4  # January 30 and 31, February 1 and 4
    assert ada["longest_streak_days"] == 3  # January 30 to February 1


def test_a_podcast_listener_gets_shows(ada: dict[str, Any]) -> None:
    assert ada["top_shows"] == [{"show": "The Talk", "plays": 1}]


def test_three_listeners_have_no_cluster(ada: dict[str, Any]) -> None:
    assert ada["taste_cluster"] is None


def test_six_listeners_have_one_each(tmp_path: Path) -> None:
    patient, hasty = "abc", "xyz"
    heard = [listen(u, i, f"2026-02-0{d}") for u in patient for d, i in enumerate(("anthem", "ballad", "dirge", "chant", "q"), 1)]
    heard += [
        listen(u, i, f"2026-02-0{d}", 5) for u in hasty for d, i in enumerate(("anthem", "ballad", "dirge", "chant", "q"), 1)
    ]
    folder = folder_of(tmp_path / "log", heard)
    assert [review(folder, user)["taste_cluster"] for user in "ax"] == ["patient listeners", "skippers"]


def test_without_a_catalogue_names_are_unknown(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "log", adas(), Catalogue.of([]))
    found = review(folder)
    assert found["top_songs"][0] == {"item": "anthem", "title": None, "artist": None, "plays": 3}
    unknown = ("top_artist", "top_genre", "artist_share", "top_shows", "taste_cluster")
    assert [found[name] for name in unknown] == [None] * len(unknown)
    assert "Top artist" not in "\n".join(wrapped(Wanted(log=folder))[1])


def test_one_listener_has_nobody_to_be_compared_with(tmp_path: Path) -> None:
    assert review(folder_of(tmp_path / "log", adas()))["artist_share"] is None


def test_who_only_skips_has_no_favourites(tmp_path: Path) -> None:
    found = review(folder_of(tmp_path / "log", [listen("ada", "anthem", f"2026-02-0{day}", 5) for day in range(1, 6)]))
    assert (found["listens"], found["plays"], found["top_songs"], found["longest_streak_days"]) == (5, 0, [], 0)
    assert (found["busiest_month"], found["earliest_hour"], found["top_artist"]) == (None, None, None)


def test_a_year_is_the_listeners_own(tmp_path: Path) -> None:
    heard = [listen("ada", "anthem", f"2026-03-0{day}") for day in range(1, 6)]
    eve = listen("ada", "ballad", "2025-12-31T23:30", utc_offset_min=60)  # half past midnight by her clock
    folder = folder_of(tmp_path / "log", [eve, listen("ada", "ballad", "2025-12-31T12:00"), *heard])
    assert (review(folder)["listens"], review(folder, year=2026)["listens"]) == (7, 6)
    with pytest.raises(UsageError, match="nothing of 1999"):
        review(folder, year=1999)


def test_the_lake_tells_the_same_as_the_folder(tmp_path: Path, ada: dict[str, Any]) -> None:
    home, _ = home_with(tmp_path / "home", ITEMS)
    log = ToyLog()
    for day in range(parse_instant("2026-01-30"), parse_instant("2026-02-06"), DAY_MS):
        log.control(Watermark(day))
        log.send(*(one for one in [*adas(), *others()] if one.ts_ms // DAY_MS == day // DAY_MS))
    log.archive(home, commits=3)
    found = wrapped(Wanted(("ada",), home=home))[0]
    assert found == {**ada, "source": "the lake"}


def test_an_empty_home_has_nothing_to_review(tmp_path: Path) -> None:
    with pytest.raises(CannotJudge, match="The lake is empty"):
        wrapped(Wanted(home=Home(tmp_path)))


def test_the_class_is_reviewed_by_its_scores(tmp_path: Path) -> None:
    """0.1 is a skip, 0.5 a play, 0.9 two plays: 1 + 1 + 2 + 2 listens, 5 of them plays."""
    (tmp_path / "songs.csv").write_text("song,artist,genre\nanthem,A,pop\nballad,B,rock\nchant,B,rock\ndirge,A,pop\n")
    scores = "ada,anthem,0.1\nada,ballad,0.5\nada,chant,0.9\nada,dirge,0.9\nbob,ballad,0.9\nbob,chant,0.9\neve,anthem,0\n"
    (tmp_path / "engagement.csv").write_text(f"user_id,song,engagement_score\n{scores}")
    found = review(tmp_path, "ada")
    assert (found["listens"], found["plays"]) == (6, 5)
    assert [(song["title"], song["plays"]) for song in found["top_songs"]] == [("chant", 2), ("dirge", 2), ("ballad", 1)]
    assert (found["top_artist"], found["top_genre"]) == ({"artist": "B", "plays": 3}, "rock")
    assert found["artist_share"] == {"rank": 2, "listeners": 2, "top_percent": 100}  # bob has 4 plays of B
    assert [found[name] for name in ("minutes", "days", "busiest_month", "earliest_hour", "longest_streak_days")] == [None] * 5
    for user, listens in (("bob", 4), ("eve", 0)):
        with pytest.raises(UsageError, match=f"has {listens} of '{user}', and a review begins at 5"):
            review(tmp_path, user)
    with pytest.raises(UsageError, match="does not say when"):
        review(tmp_path, "ada", year=2026)


def test_the_cluster_is_the_lessons_own() -> None:
    expected = {one.user: one.cluster for one in lesson(built_in(7), 7)}
    found = {user: wrapped(Wanted((user,), classroom=True))[0]["taste_cluster"] for user in expected}
    assert found == expected


def test_it_says_where_it_comes_from(tmp_path: Path, say: Say) -> None:
    said = say("wrapped", "ada", "--log", folder_of(tmp_path / "log", [*adas(), *others()]))
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[0] == "ada: a year in listening, January 2026 to February 2026"
    assert "  1. Anthem, A  (3 plays)" in said.out.splitlines()
    told = "Counted from the very data that made the recommendations: 7 listens on 4 days."
    assert said.out.splitlines()[-1] == told


def test_without_a_name_it_is_who_has_the_most(tmp_path: Path, say: Say) -> None:
    folder = folder_of(tmp_path / "log", [*adas(), *others()])
    assert say("wrapped", "--log", folder, "--json").document["user"] == "ada"


def test_a_title_cannot_steer_the_terminal(tmp_path: Path, say: Say) -> None:
    hostile = Catalogue.of([Item("anthem", "An\x1b[31m\nthem")])
    said = say("wrapped", "ada", "--log", folder_of(tmp_path / "log", adas(), hostile), "--card", "a.svg")
    assert "\x1b" not in said.out
    assert "  1. An [31m them  (3 plays)" in said.out.splitlines()


def test_what_cannot_be_reviewed_is_refused_in_one_line(tmp_path: Path, say: Say) -> None:
    folder = folder_of(tmp_path / "log", [*adas(), *others()])
    assert say("wrapped", "eve", "--log", folder).refusal.startswith("There is nobody called 'eve': the log has 3, such as ada")
    assert "has 1 of 'bob', and a review begins at 5" in say("wrapped", "bob", "--log", folder).refusal
    assert "The lake is empty" in say("wrapped", "ada").refusal
    assert "is no log folder" in say("wrapped", "ada", "--log", tmp_path).refusal
    assert "--log and --classroom were given" in say("wrapped", "ada", "--log", folder, "--classroom").refusal
    assert "There are 2 names" in say("wrapped", "ada", "bob", "--log", folder).refusal


def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, say: Say) -> None:
    folder = folder_of(tmp_path / "log", adas())
    next((folder / "log").glob("*.parquet")).write_bytes(b"PAR1 and no more")
    assert "cannot be read" in say("wrapped", "ada", "--log", folder).refusal
