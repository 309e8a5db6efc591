"""The read API's recommendations, over a real Redis: with reasons in words, by the settings as they are now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import redis
from fastapi import FastAPI

from batch.online import copied
from contract.home import Home
from contract.keys import SONGS
from contract.preferences import change_preference
from contract.ranker import Show
from contract.version import Version
from serving.api import make_api
from serving.shows import shown
from streaming.redis_store import RedisStore
from streaming.store import Rankings
from tests.shelves import ANN, BOB, publish_shelves
from tests.test_serving import ANN as ROW
from tests.test_serving import commit, get, server, stored
from tests.test_stores import write

pytestmark = pytest.mark.stack
PARTITIONS = 2


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    with server(tmp_path_factory.mktemp("redis")) as client:
        yield client


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def api(running: redis.Redis, home: Home) -> FastAPI:
    """The application over a copy of ann's and bob's shelves."""
    running.flushall()
    with copied(running, publish_shelves(home, "2026-01-08", {"ann": ANN, "bob": BOB}), PARTITIONS):
        pass
    return make_api(running, PARTITIONS, home)


BLUE = {
    "item": "song-a",
    "title": "Blue",
    "by": "Ada",
    "score": 0.5,
    "because": "Listeners with your taste play it again and again.",
}
RED = {
    "item": "song-b",
    "title": "Red",
    "by": "Bo",
    "score": 0.25,
    "because": "It is popular: 50 % of the listeners in SE play it.",
}


def test_shelves_come_with_titles_and_reasons_in_words(api: FastAPI) -> None:
    answer = get(api, "/listeners/ann/recommendations")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["user_id"], told["version"], told["personal"]) == ("ann", "2026-01-08", True)
    assert told["shelves"]["for-you"] == [BLUE, RED]
    assert [item["title"] for item in told["shelves"]["discover-weekly"]] == ["Hello", "song-gone"]
    assert [item["by"] for item in told["shelves"]["discover-weekly"]] == ["Talks", None]


def test_one_shelf_can_be_asked_for(api: FastAPI) -> None:
    assert get(api, "/listeners/ann/recommendations?shelf=for-you").json()["shelves"] == {"for-you": [BLUE, RED]}


def test_a_shelf_that_is_not_there_is_not_found_and_the_others_are_named(api: FastAPI) -> None:
    answer = get(api, "/listeners/ann/recommendations?shelf=nothing")
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "There is no shelf 'nothing'; there are discover-weekly, for-you"},
    )


def test_an_unknown_listener_is_not_found(api: FastAPI) -> None:
    answer = get(api, "/listeners/nobody/recommendations")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Version '2026-01-08' recommends nothing to 'nobody'"})


def test_a_wish_is_honoured_at_once_and_taken_back_at_once(api: FastAPI, home: Home) -> None:
    change_preference(home.preferences, "ann", personalisation=False)
    told = get(api, "/listeners/ann/recommendations").json()
    assert told["personal"] is False
    assert [(name, [item["title"] for item in items]) for name, items in told["shelves"].items()] == [("for-you", ["Red"])]
    because = "You have switched personal recommendations off, and it is popular: 75 % of all listeners play it."
    assert told["shelves"]["for-you"][0]["because"] == because
    assert get(api, "/listeners/bob/recommendations").json()["personal"] is True, "nobody else is concerned"
    change_preference(home.preferences, "ann", personalisation=True)
    assert get(api, "/listeners/ann/recommendations").json()["shelves"]["for-you"] == [BLUE, RED]


def test_songs_come_as_the_live_path_ranked_them_with_the_night_s_reasons(api: FastAPI, running: redis.Redis) -> None:
    rank(running, ("song-b", "song-a", "song-gone"))
    told = get(api, "/listeners/ann/songs").json()
    assert {name: told[name] for name in ("user_id", "as_of_ms", "version")} == {
        "user_id": "ann",
        "as_of_ms": ROW["as_of_ms"],
        "version": "2026-01-08",
    }
    gone = {"item": "song-gone", "title": "song-gone", "by": None, "score": 0.25, "because": ""}
    assert told["songs"] == [{**RED, "score": 1.0}, {**BLUE, "score": 0.5}, gone]


def test_songs_go_by_a_wish_at_once(api: FastAPI, running: redis.Redis, home: Home) -> None:
    rank(running, ("song-a",))
    change_preference(home.preferences, "ann", privacy_first=True)
    (only,) = get(api, "/listeners/ann/songs").json()["songs"]
    assert (only["title"], only["because"].split(",")[0]) == ("Red", "You asked for privacy")


def test_songs_of_a_listener_whom_the_live_path_does_not_know_are_not_found(api: FastAPI) -> None:
    answer = get(api, "/listeners/nobody/songs")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Nothing is known of 'nobody'"})


def rank(client: redis.Redis, songs: tuple[str, ...]) -> None:
    """Write ann's row and songs as the live path does."""
    places = np.arange(len(songs))[None, :]
    rankings = {SONGS: Rankings(["ann"], songs, places, 0.5**places)}
    store = RedisStore(client)
    store.commit(0, store.claim(0).epoch, write(0, 7, rows=stored(ROW), rankings=rankings))


def test_where_preferences_are_broken_nothing_personal_is_told(api: FastAPI, home: Home) -> None:
    home.preferences.write_bytes(b"{")
    answer = get(api, "/listeners/ann/recommendations")
    assert answer.status_code == 503
    assert "cannot be read" in answer.json()["detail"]


def test_before_the_first_copy_there_are_none(running: redis.Redis, home: Home) -> None:
    running.flushall()
    answer = get(make_api(running, PARTITIONS, home), "/listeners/ann/recommendations")
    assert (answer.status_code, answer.json()) == (404, {"detail": "No version's recommendations are in this Redis"})


def test_where_redis_is_away_the_answer_is_503(tmp_path: Path, home: Home) -> None:
    with server(tmp_path / "redis") as client:
        api = make_api(client, PARTITIONS, home)
    answer = get(api, "/listeners/ann/recommendations")
    assert (answer.status_code, answer.json()) == (503, {"detail": "Redis does not answer"})


def test_a_version_that_the_home_does_not_have_is_told_by_ids(running: redis.Redis, api: FastAPI, tmp_path: Path) -> None:
    elsewhere = make_api(running, PARTITIONS, Home(tmp_path / "elsewhere"))
    told = get(elsewhere, "/listeners/ann/recommendations?shelf=for-you").json()
    assert [item["title"] for item in told["shelves"]["for-you"]] == ["song-a", "song-b"]


def test_shows_are_not_personal_either_where_nothing_personal_is_wanted(running: redis.Redis, api: FastAPI, home: Home) -> None:
    commit(RedisStore(running), 0, 0, 7, stored({**ROW, "version": "2026-01-08"}))
    assert [show["show"] for show in get(api, "/listeners/ann/shows").json()["shows"]] == ["show-b", "show-a"]
    change_preference(home.preferences, "ann", privacy_first=True)
    assert get(api, "/listeners/ann/shows").json()["shows"] == [], "the version has no ranker to tell what is popular"


def test_popular_shows_come_by_popularity_and_name(tmp_path: Path) -> None:
    shows = tuple(Show(name, None, popularity, 0.5, 30.0) for name, popularity in (("a", 0.1), ("c", 0.5), ("b", 0.5)))
    version = Version(tmp_path)
    vars(version)["ranker"] = SimpleNamespace(shows=shows)
    off = change_preference(tmp_path / "preferences.json", "ann", personalisation=False)
    assert shown({"shows": ["a"], "scores": [0.9]}, off, version) == [("b", 0.5), ("c", 0.5), ("a", 0.1)]
