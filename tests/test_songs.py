"""The music re-rank: which songs are in question for whom, how the features of the moment order them, and when it changes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from contract.catalogue import Catalogue, Item
from contract.event import Names
from contract.home import Home
from contract.keys import SONGS
from contract.preferences import Preference, write_preferences
from contract.recommendation import DISCOVER_WEEKLY, FOR_YOU, Recommended
from contract.records import Activation
from contract.rows import FeatureColumns
from contract.version import INITIAL, POPULAR, PREFERENCES, ItemVectors, Manifest, Version
from contract.versions import Versions
from streaming.member import Member
from streaming.songs import top_songs
from streaming.store import MemoryStore
from tests.shelves import write_shelves
from tests.toylake import ToyLog, event

HOUR_MS, NOON_MS = 3_600_000, 20_461 * 86_400_000
JAZZ, ROCK = "song-jazz", "song-rock"
CATALOGUE = Catalogue.of(
    [
        Item(JAZZ, "J", artist="x", genre="jazz"),
        Item(ROCK, "R", artist="x", genre="rock"),
        Item("song-plain", "P", artist="x"),
        Item("talk", "T", show="show", show_genre="news"),
    ]
)
VECTORS = ItemVectors((JAZZ, ROCK, "talk"), np.array([[0.0, 2.0], [3.0, 0.0], [1.0, 1.0]]))
WISHES = {"shy": Preference(personalisation=False), "private": Preference(privacy_first=True)}


def shelf(*items: str) -> tuple[Recommended, ...]:
    return tuple(Recommended(item, 0.5) for item in items)


def publish(home: Home, name: str, shelves: dict[str, tuple[str, ...]], popular: tuple[str, ...] = ("song-plain",)) -> Version:
    """Publish a version; each listener also has another shelf, which is not in question."""
    versions = Versions(home.versions)
    with versions.building(name) as draft:
        CATALOGUE.write(draft / "catalogue.parquet")
        VECTORS.write(draft / "item_vectors.parquet")
        of = {user: {FOR_YOU: shelf(*items), DISCOVER_WEEKLY: shelf("song-plain")} for user, items in shelves.items()}
        write_shelves(draft, of)
        (draft / POPULAR).write_bytes(msgspec.json.encode(shelf(*popular)))
        write_preferences(
            draft / PREFERENCES, {"shy": Preference(personalisation=False), "private": Preference(privacy_first=True)}
        )
        return versions.publish(draft, Manifest(name, NOON_MS, {}, INITIAL, NOON_MS, None, 0))


@pytest.fixture
def version(tmp_path: Path) -> Version:
    songs = ("talk", JAZZ, "song-gone", ROCK, "song-plain")
    return publish(Home(tmp_path), "v", dict.fromkeys(("ann", "bob", "private", "shy"), songs), (ROCK, "talk", JAZZ))


def features(n: int, affinity: tuple[float, ...] = (0.0, 0.0, 0.0), vector: tuple[float, ...] = (0.0, 0.0)) -> FeatureColumns:
    return {"genre_affinity": np.tile(affinity, (n, 1)), "user_vector": np.tile(vector, (n, 1))}


def users(*names: str) -> Names:
    return np.array(names, object)


def ranked(version: Version, user: str, columns: FeatureColumns) -> list[tuple[str, float]]:
    found = top_songs(version, users(user), columns)
    assert found is not None
    return found.of(0)


def test_without_listening_the_night_s_order_stays_and_what_is_no_song_drops_out(version: Version) -> None:
    assert ranked(version, "ann", features(1)) == [(JAZZ, 1), (ROCK, pytest.approx(2 / 3)), ("song-plain", pytest.approx(1 / 3))]


def test_a_score_is_place_and_genre_and_cosine(version: Version) -> None:
    found = ranked(version, "ann", features(1, (0.1, 0.9, 0.5), (0.6, -0.8)))
    assert found == [
        (ROCK, pytest.approx(2 / 3 + 0.5 + 0.6)),
        ("song-plain", pytest.approx(1 / 3)),
        (JAZZ, pytest.approx(1 + 0.1 - 0.8)),
    ]


def test_a_listener_without_a_vector_is_ranked_by_the_rest(version: Version) -> None:
    found = ranked(version, "ann", features(1, (0.0, 0.0, 0.9), (np.nan, np.nan)))
    assert found[0] == (ROCK, pytest.approx(2 / 3 + 0.9))


@pytest.mark.parametrize("user", ["nobody-knows", "shy", "private"])
def test_who_is_not_known_gets_what_is_popular_and_only_the_unknown_by_their_listening(version: Version, user: str) -> None:
    found = ranked(version, user, features(1, (0.9, 0.0, 0.0), (0.0, 1.0)))
    assert [song for song, _ in found] == ([JAZZ, ROCK] if user == "nobody-knows" else [ROCK, JAZZ])


def test_each_listener_has_their_own(tmp_path: Path) -> None:
    version = publish(Home(tmp_path), "v", {"ann": (JAZZ, ROCK), "bob": (ROCK,), "cid": ()}, ())
    found = top_songs(version, users("bob", "cid", "ann", "dora"), features(4))
    assert found is not None
    assert [[song for song, _ in found.of(i)] for i in range(4)] == [[ROCK], [], [JAZZ, ROCK], []]


def test_features_of_another_width_are_no_fault(version: Version) -> None:
    """A skew may hand on a vector of an older model, or a catalogue's genres without the last."""
    assert ranked(version, "ann", features(1, (0.9,), (1.0, 0.0, 7.0)))[0] == (JAZZ, pytest.approx(1.9))


def test_a_version_without_shelves_ranks_no_songs(tmp_path: Path) -> None:
    version = Versions(tmp_path).publish_initial(CATALOGUE)
    assert top_songs(version, users("ann"), features(1)) is None


def test_a_version_that_was_built_again_is_read_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert ranked(publish(home, "v", {"ann": (JAZZ,)}), "ann", features(1))[0][0] == JAZZ
    assert ranked(publish(home, "v", {"ann": (ROCK,)}), "ann", features(1))[0][0] == ROCK


def test_a_version_switch_comes_between_two_steps_and_mixes_nothing(tmp_path: Path) -> None:
    home, log, store = Home(tmp_path), ToyLog(1), MemoryStore()
    Versions(home.versions).publish_initial(CATALOGUE)
    for name, song in (("old", JAZZ), ("new", ROCK)):
        publish(home, name, {"ann": (song,), "bob": (song,)})
    for step, name in enumerate(("old", "new", INITIAL)):
        log.control(Activation(name))
        log.send(event("ann", ROCK, NOON_MS + step * HOUR_MS))
    member = Member(home, store, 1, None)
    member.take_over(0)
    for name, songs in (("old", [JAZZ]), ("new", [ROCK]), (INITIAL, [])):
        switch, listen = log.records[0][:2]
        del log.records[0][:2]
        before = store.ranking(0, SONGS, "ann")
        member.feed(0, [switch])
        assert store.ranking(0, SONGS, "ann") == before, "what was ranked by the last version stays whole"
        (step,) = member.feed(0, [listen])
        assert step.rows is not None
        assert step.rows.version == name
        assert [song for song, _ in store.ranking(0, SONGS, "ann")] == songs
