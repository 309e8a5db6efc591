"""Each shelf in a world made for it, the settings, and those of whom nothing is known."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import numpy as np
import pytest

from batch.engagement import Contexts
from batch.neighbours import best
from batch.recommending.chance import chances
from batch.recommending.crowd import Crowd
from batch.recommending.discover import discover_weekly
from batch.recommending.for_you import for_you, in_context, lifts
from batch.recommending.mixes import clusters, daily_mixes
from batch.recommending.night import write_recommendations
from batch.recommending.radar import release_radar
from contract import recommendation as kinds
from contract.catalogue import Catalogue, Item
from contract.preferences import Preference
from contract.recommendation import Recommended, read_shelves, sentence
from contract.windows import DAY_MS
from tests.crowds import NIGHT, block_of, crowd_of, heard, song

GENRES = ("folk", "jazz", "metal", "pop")
SONGS = [
    song(f"{genre}-{i:02d}", f"{genre} artist {i // 3}", genre, energy=k + i / 100, valence=-(k % 2) - i / 90)
    for k, genre in enumerate(GENRES)
    for i in range(40)
]
CATALOGUE = Catalogue.of(SONGS)
ITEMS = tuple(CATALOGUE.items)
NOBODY = np.zeros(0, bool)


def row(**liked: dict[int, float]) -> list[float]:
    """One listener's engagement: genre -> number of the song -> engagement."""
    found = dict.fromkeys(ITEMS, 0.0)
    for genre, songs in liked.items():
        found |= {f"{genre}-{i:02d}": value for i, value in songs.items()}
    return list(found.values())


def listeners(**more: list[float]) -> dict[str, list[float]]:
    """Forty listeners who each like one genre and some of the next; and some more."""
    rng = np.random.default_rng(5)
    rows = {}
    for i in range(40):
        mine, next_one = GENRES[i % 4], GENRES[(i + 1) % 4]
        rows[f"u{i:02d}"] = row(**{mine: picks(rng, 15), next_one: picks(rng, 5)})
    return rows | more


def picks(rng: np.random.Generator, count: int) -> dict[int, float]:
    return {int(i): float(rng.choice([0.1, 0.5, 0.9])) for i in rng.choice(40, count, replace=False)}


def shelves(place: Path, crowd: Crowd, wishes: dict[str, Preference] | None = None, seed: int = 0) -> Path:
    write_recommendations(place, crowd, wishes or {}, NIGHT, seed)
    return place


def names(found: tuple[Recommended, ...]) -> list[str]:
    return [one.item for one in found]


# --- for you -----------------------------------------------------------------------------------------------------------------


def test_for_you_has_two_slots_that_explore_and_six_for_those_who_wish() -> None:
    block = block_of(crowd_of(heard(listeners(), ITEMS), CATALOGUE))
    few, many = (for_you(block, np.full(40, wish)) for wish in (False, True))
    assert few.items.shape == (40, 20)
    assert np.flatnonzero(few.clauses[0].there[7]).tolist() == [9, 19]
    assert np.flatnonzero(many.clauses[0].there[7]).tolist() == [3, 6, 9, 13, 16, 19]
    for shelf in (few, many):
        assert all(len({*items}) == 20 and -1 not in items for items in shelf.items.tolist()), "nothing stands twice"
        explored = shelf.items[shelf.clauses[0].there].reshape(40, -1)
        better = (block.scores > np.take_along_axis(block.scores, explored, axis=1).min(axis=1)[:, None]).sum(axis=1)
        assert (better <= block.open_to.sum(axis=1) / 4).all(), "promising, if not the best"


def test_where_nothing_is_left_open_the_best_fill_the_slots() -> None:
    few = Catalogue.of(SONGS[:12])
    rows = {"ann": [0.9, *[0.0] * 11], "bob": [0.9] * 12}
    shelf = for_you(block_of(crowd_of(heard(rows, tuple(few.items)), few)), np.array([True, True]))
    assert sorted(shelf.items[0].tolist()) == [*[-1] * 9, *range(1, 12)]
    assert not shelf.clauses[0].there.any()


def test_chance_is_the_listeners_own() -> None:
    alone, among = chances(7, NIGHT, ["bob"], 5), chances(7, NIGHT, ["ann", "bob", "cy"], 5)
    assert alone[0].tolist() == among[1].tolist() != among[0].tolist()
    assert chances(7, NIGHT + DAY_MS, ["bob"], 5).tolist() != alone.tolist() != chances(8, NIGHT, ["bob"], 5).tolist()


def test_every_recommendation_has_a_reason_and_none_names_a_listener(tmp_path: Path) -> None:
    rows = listeners(none=row(), one=row(jazz={3: 0.5}), skipper=row(pop={1: 0.1, 2: 0.1}))
    crowd = crowd_of(heard(rows, ITEMS), CATALOGUE)
    shelves(tmp_path, crowd)
    for user in rows:
        found = read_shelves(tmp_path, user)
        assert found["for-you"]
        for one in (one for shelf in found.values() for one in shelf):
            assert 1 <= len(one.reasons) <= 2
            told = sentence(one.reasons, CATALOGUE)
            assert told
            assert not any(name in told.split() for name in rows if name.startswith("u"))
            assert {why.about for why in one.reasons}.isdisjoint(rows)


def test_one_neighbour_is_no_reason() -> None:
    rows = {"ann": [0.9, 0.9, 0.0], "bob": [0.9, 0.0, 0.9]}
    items = ("folk-00", "folk-01", "metal-00")
    block = block_of(crowd_of(heard(rows, items), CATALOGUE))
    clauses = {clause.kind: clause for clause in for_you(block, np.zeros(2, bool)).clauses}
    assert not clauses[kinds.NEIGHBOURS].there.any()
    block = block_of(crowd_of(heard({**rows, "cy": rows["bob"]}, items), CATALOGUE))
    shelf = for_you(block, np.zeros(3, bool))
    clause = next(one for one in shelf.clauses if one.kind == kinds.NEIGHBOURS)
    at = shelf.items[0].tolist().index(ITEMS.index("metal-00"))
    assert clause.there[0, at]
    assert clause.value[0, at] == pytest.approx(0.9)


# --- discover weekly ---------------------------------------------------------------------------------------------------------


def test_discover_weekly_is_unheard_and_two_fifths_lie_outside_the_top_genre() -> None:
    block = block_of(crowd_of(heard(listeners(), ITEMS), CATALOGUE))
    shown = for_you(block, np.zeros(40, bool)).items
    items = discover_weekly(block, shown).items
    assert (items >= 0).all()
    assert (np.take_along_axis(block.own, items, axis=1) == 0).all()
    top = block.by_genre.argmax(axis=1)
    outside = (block.crowd.pool.genre[items] != top[:, None]).sum(axis=1)
    assert outside.min() >= 8
    assert outside.max() < 20
    assert not (items[:, :, None] == shown[:, None, :]).any()


def test_a_short_discover_weekly_keeps_the_share() -> None:
    few = Catalogue.of([one for one in SONGS if one.genre == "folk"] + [one for one in SONGS if one.genre == "jazz"][:4])
    rows = {"ann": [0.9] + [0.0] * 43, "bob": [0.9] * 44}
    block = block_of(crowd_of(heard(rows, tuple(few.items)), few))
    items = discover_weekly(block, np.full((2, 1), -1)).items[0]
    genres = [few.genres[block.crowd.pool.genre[item]] for item in items if item >= 0]
    assert (genres.count("jazz"), genres.count("folk")) == (4, 6)


# --- daily mixes -------------------------------------------------------------------------------------------------------------


def test_mixes_are_led_by_the_genres_of_the_listeners_own_listening() -> None:
    mine = row(folk=dict.fromkeys(range(5), 0.9), metal=dict.fromkeys(range(3), 0.5), pop={0: 0.9, 1: 0.9})
    block = block_of(crowd_of(heard(listeners(ann=mine), ITEMS), CATALOGUE))
    genre = block.crowd.pool.genre
    mix = clusters(block)[-1]
    assert {*mix[genre == 0].tolist()} == {0}, "folk: five liked songs"
    assert {*mix[genre == 2].tolist()} == {1}, "metal: three"
    assert 2 not in mix, "pop: only two"


def test_a_song_of_no_genre_joins_the_mix_that_it_sounds_like() -> None:
    catalogue = Catalogue.of([*SONGS, song("stray", "x", None, energy=2.1, valence=-0.1)])  # sounds as metal does
    rows = {"ann": row(folk=dict.fromkeys(range(4), 0.9), metal=dict.fromkeys(range(4), 0.9))}
    block = block_of(crowd_of(heard(rows, ITEMS), catalogue))
    mix = clusters(block)[0]
    assert mix[block.crowd.pool.items.index("stray")] == mix[block.crowd.pool.items.index("metal-10")] >= 0


def test_a_mix_takes_turns_between_what_is_loved_and_what_is_new() -> None:
    mine = row(folk={0: 0.9, 1: 0.5, 2: 0.9, 3: 0.1})
    block = block_of(crowd_of(heard(listeners(ann=mine), ITEMS), CATALOGUE))
    first, second, third = daily_mixes(block)
    assert (first.name, second.name, third.name) == kinds.DAILY_MIXES
    items = first.items[-1]
    assert {*items[:4:2].tolist()} == {0, 2}, "played again and again, in an order of the day"
    assert items[4] == 1
    assert items[6] == -1, "what was skipped is not loved"
    assert (block.own[-1][items[1::2]] <= 0.1).all()
    assert first.scores[-1, :5:2].tolist() == [0.9, 0.9, 0.5]
    assert (second.items[-1] == -1).all()


# --- release radar -----------------------------------------------------------------------------------------------------------


def test_the_radar_shows_the_last_28_days_by_artist_then_genre() -> None:
    def out(name: str, artist: str, genre: str, days: float) -> Item:
        return Item(name, name, artist=artist, genre=genre, release_ms=NIGHT - int(days * DAY_MS))

    new = [
        out("n1", "folk artist 0", "folk", 28),  # the artist that ann likes best
        out("n2", "new one", "folk", 3),  # a genre that ann likes
        out("n3", "folk artist 0", "folk", 28.01),  # too old
        out("n4", "folk artist 0", "folk", 0),  # not out yet
        out("n5", "new one", "metal", 3),  # nothing to ann
        out("n6", "folk artist 1", "folk", 1),  # an artist that ann plays
    ]
    mine = row(folk={0: 0.9, 1: 0.9, 3: 0.5})
    crowd = crowd_of(heard({"ann": mine}, ITEMS), Catalogue.of([*SONGS, *new]))
    shelf = release_radar(block_of(crowd))
    assert shelf is not None
    assert [crowd.pool.items[i] for i in shelf.items[0] if i >= 0] == ["n1", "n6", "n2"]
    assert shelf.clauses[0].value[0, 0] == 28  # type: ignore[index]
    assert (shelf.clauses[1].about[0, 0], shelf.clauses[2].about[0, 2]) == ("folk artist 0", "folk")  # type: ignore[index]


def test_where_nothing_came_out_there_is_no_radar(tmp_path: Path) -> None:
    crowd = crowd_of(heard(listeners(), ITEMS), CATALOGUE)
    assert release_radar(block_of(crowd)) is None
    shelves(tmp_path, crowd)
    assert "release-radar" not in read_shelves(tmp_path, "u00")


# --- contexts ----------------------------------------------------------------------------------------------------------------


def test_lift_is_smoothed_towards_what_is_usual() -> None:
    plays = np.array([[30.0, 10.0], [0.0, 0.0], [10.0, 30.0]])
    found = lifts(plays)
    assert found[0, 0] == pytest.approx((30 + 10) / (40 + 20) / 0.5)
    assert found[1].tolist() == [1, 1]
    assert lifts(np.zeros((2, 3))).tolist() == [[1, 1, 1], [1, 1, 1]]


def test_a_context_brings_forward_what_is_played_there() -> None:
    parts, devices = np.full((len(ITEMS), 4), 10), np.full((len(ITEMS), 5), 10)
    block = block_of(crowd_of(heard(listeners(), ITEMS, contexts=Contexts(parts, devices)), CATALOGUE))
    usual = block.candidates[0][0, :5]
    parts[usual[4]] = [0, 0, 0, 400]  # the evening's song
    found = {shelf.name: shelf for shelf in in_context(block)}
    assert len(found) == 9
    assert found["for-you/car"].items[0, :5].tolist() == usual.tolist(), "without any lift the order stays"
    evening = found["for-you/evening"]
    assert evening.items[0, 0] == usual[4]
    assert evening.clauses[0].there[0, 0]
    assert evening.clauses[0].about == "evening"
    assert evening.items.shape == (40, 10)


# --- settings, and those of whom nothing is known ----------------------------------------------------------------------------


def test_personalisation_off_is_what_is_popular_and_says_so(tmp_path: Path) -> None:
    crowd = crowd_of(heard(listeners(), ITEMS), CATALOGUE)
    shelves(tmp_path, crowd, {"u00": Preference(personalisation=False)})
    found = read_shelves(tmp_path, "u00")
    assert list(found) == ["for-you"]
    liked = [ITEMS[j] for j in best(crowd.engagement[None, :], 20)[0][0]]
    assert names(found["for-you"]) == liked
    assert {tuple(why.kind for why in one.reasons) for one in found["for-you"]} == {("not-personal", "popular")}


def test_privacy_first_uses_nothing_of_the_listener_and_tells_nobody(tmp_path: Path) -> None:
    rows = listeners(ann=row(jazz=dict.fromkeys(range(40), 0.9)))
    country = dict.fromkeys(rows, "SE")
    wishes = {"ann": Preference(privacy_first=True)}
    private = crowd_of(heard(rows, ITEMS, country), CATALOGUE, wishes)
    nothing = crowd_of(heard({**rows, "ann": row()}, ITEMS, country), CATALOGUE, wishes)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = shelves(tmp_path / "a", private, wishes), shelves(tmp_path / "b", nothing, wishes)
    for user in rows:
        assert read_shelves(one, user) == read_shelves(other, user), "as if ann had heard nothing"
    found = read_shelves(one, "ann")["for-you"]
    assert {tuple(why.kind for why in r.reasons) for r in found} == {("private", "popular")}
    assert {why.about for r in found for why in r.reasons} == {""}, "not even the country"
    assert (private.near[-1] == -1).all()
    assert 40 not in private.near


def test_the_wish_to_explore_changes_no_other_listener(tmp_path: Path) -> None:
    crowd = crowd_of(heard(listeners(), ITEMS), CATALOGUE)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = shelves(tmp_path / "a", crowd), shelves(tmp_path / "b", crowd, {"u03": Preference(explore=True)})
    same = {user: read_shelves(one, user) == read_shelves(other, user) for user in crowd.heard.users}
    assert [user for user, equal in same.items() if not equal] == ["u03"]
    explored = [one for one in read_shelves(other, "u03")["for-you"] if one.reasons[0].kind == "explore"]
    assert len(explored) == 6


def test_who_has_heard_nothing_gets_what_is_popular_in_their_country(tmp_path: Path) -> None:
    rows = {f"se{i}": row(folk={0: 0.9}, pop={0: 0.1}) for i in range(5)} | {f"de{i}": row(pop={0: 0.9}) for i in range(9)}
    country = {user: user[:2].upper() for user in rows} | {"new": "SE", "far": "FI"}
    crowd = crowd_of(heard({**rows, "new": row(), "far": row()}, ITEMS, country), CATALOGUE)
    shelves(tmp_path, crowd)
    new, far = (read_shelves(tmp_path, user)["for-you"] for user in ("new", "far"))
    assert names(new) == ["folk-00"], "pop-00 was skipped there, everywhere it is ahead"
    assert sentence(new[0].reasons, CATALOGUE) == "It is popular: 100 % of the listeners in SE play it."
    assert names(far) == ["pop-00", "folk-00"]
    assert sentence(far[0].reasons, CATALOGUE) == "It is popular: 64 % of all listeners play it."


def test_who_has_skipped_everything_gets_something_else(tmp_path: Path) -> None:
    crowd = crowd_of(heard(listeners(ann=row(folk=dict.fromkeys(range(30), 0.1))), ITEMS), CATALOGUE)
    shelves(tmp_path, crowd)
    found = read_shelves(tmp_path, "ann")
    assert list(found) == ["for-you"]
    assert {why.kind for one in found["for-you"] for why in one.reasons} == {"something-else"}
    assert len(found["for-you"]) == 20
    assert not {*names(found["for-you"])} & {f"folk-{i:02d}" for i in range(30)}, "the unheard first"


def test_one_event_is_enough(tmp_path: Path) -> None:
    crowd = crowd_of(heard(listeners(ann=row(metal={7: 0.5})), ITEMS), CATALOGUE)
    shelves(tmp_path, crowd)
    found = read_shelves(tmp_path, "ann")["for-you"]
    genres = [CATALOGUE.items[name].genre for name in names(found)]
    assert len(found) == 20
    assert genres[0] == "metal"
    assert genres.count("metal") > 5


def test_who_has_heard_only_what_the_catalogue_does_not_know_has_neighbours(tmp_path: Path) -> None:
    items = (*ITEMS, "unknown")
    rows = {user: [*heard_by, 0.0] for user, heard_by in listeners().items()}
    rows["u00"][-1] = 0.9
    crowd = crowd_of(heard({**rows, "ann": [*row(), 0.9]}, items), CATALOGUE)
    shelves(tmp_path, crowd)
    found = read_shelves(tmp_path, "ann")["for-you"]
    assert found
    assert "unknown" not in names(found)
    assert crowd.near[-1, 0] == 0


@pytest.mark.parametrize("catalogue", [CATALOGUE, Catalogue({})])
def test_an_empty_night_writes_an_empty_file(tmp_path: Path, catalogue: Catalogue) -> None:
    write_recommendations(tmp_path, crowd_of(heard({}, ITEMS), catalogue), {}, NIGHT, 0)
    assert read_shelves(tmp_path, "ann") == {}


def test_nobody_to_compare_with_and_no_sound(tmp_path: Path) -> None:
    plain = Catalogue.of([msgspec.structs.replace(one, energy=None, valence=None) for one in SONGS])
    shelves(tmp_path, crowd_of(heard({"ann": row(folk={0: 0.9})}, ITEMS), plain))
    found = read_shelves(tmp_path, "ann")["for-you"]
    assert len(found) == 20
    assert all(one.reasons for one in found)


def test_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = crowd_of(heard(listeners(), ITEMS), CATALOGUE)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = shelves(tmp_path / "a", crowd)
    monkeypatch.setattr("batch.recommending.block.CELLS", 7 * len(ITEMS))
    other = shelves(tmp_path / "b", dataclasses.replace(crowd))
    assert all(read_shelves(one, user) == read_shelves(other, user) for user in crowd.heard.users)
