"""``skewlab recommend``: titles, reasons and settings in plain English; one line where there is nothing to tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from batch.clusters import PROFILE, RATES
from batch.engagement import Engagement
from batch.popular import popular
from contract.catalogue import Catalogue, Item
from contract.features import FeatureConstants
from contract.home import Home
from contract.preferences import Preference, change_preference
from contract.ranker import Show
from contract.recommendation import POPULAR, Reason, Recommended
from contract.version import Version
from contract.versions import Versions
from lab.live_shows import live_shows
from lab.portrait import CLUSTERS
from lab.recommend import _episode
from lab.words import counted, day, moment, often, percent
from tests.saying import Say
from tests.shelves import ANN, BOB, CATALOGUE, NIGHT, publish_shelves


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a night of ann's and bob's shelves in service."""
    home = Home(tmp_path / "home")
    Versions(home.versions).publish_initial(CATALOGUE)
    publish_shelves(home, "2026-01-08", {"ann": ANN, "bob": BOB})
    Versions(home.versions).point_to("2026-01-08")
    return home


def test_titles_are_told_and_not_ids(say: Say, home: Home) -> None:
    said = say("recommend", "ann", "--home", home.root)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == ["For you, by the night of 8 January 2026:", " 1. Blue by Ada", " 2. Red by Bo"]


def test_it_reads_like_a_person_wrote_it(say: Say, home: Home) -> None:
    assert say("recommend", "ann", "--explain", "--home", home.root).out.splitlines() == [
        "In the four weeks before 8 January 2026 you listened on 3 days, 90 minutes in all: you seldom play",
        "the same thing twice. The genre you enjoy most is jazz. You skip 25 % of the songs you start.",
        "",
        "For you, by the night of 8 January 2026:",
        " 1. Blue by Ada",
        "    Listeners with your taste play it again and again.",
        " 2. Red by Bo",
        "    It is popular: 50 % of the listeners in SE play it.",
    ]


def test_an_item_that_the_catalogue_does_not_know_is_told_by_its_id(say: Say, home: Home) -> None:
    lines = say("recommend", "ann", "--shelf", "discover-weekly", "--explain", "--home", home.root).out.splitlines()
    assert lines[-2:] == [" 1. Hello, an episode of Talks", " 2. song-gone"]


@pytest.mark.parametrize(("title", "show", "told"), [
    ("Hello", "Talks", "Hello, an episode of Talks"), ("Show 7, episode 12", "show-07", "Show 7, episode 12"),
    ("Show 17, episode 1", "show-07", "Show 17, episode 1, an episode of show-07"), ("Alone", None, "Alone"),
])  # fmt: skip
def test_an_episode_is_told_with_its_show_once(title: str, show: str | None, told: str) -> None:
    assert _episode({"title": title, "by": show}) == told


def test_every_shelf_can_be_asked_for(say: Say, home: Home) -> None:
    lines = say("recommend", "ann", "--shelf", "all", "--home", home.root).out.splitlines()
    assert [line.split(",")[0] for line in lines if "by the night" in line] == ["Discover weekly", "For you"]


def test_the_document_has_titles_scores_and_reasons(say: Say, home: Home) -> None:
    told = say("recommend", "ann", "--home", home.root, "--json").document
    assert (told["user"], told["from"], told["version"], told["personal"]) == ("ann", "batch", "2026-01-08", True)
    assert (told["about"]["active_days_28d"], told["about"]["taste_cluster"], told["about"]["top_genre"]) == (
        3,
        "explorers",
        "jazz",
    )
    first = told["shelves"]["for-you"][0]
    assert (first["item"], first["title"], first["by"], first["score"]) == ("song-a", "Blue", "Ada", 0.5)
    assert first["because"] == "Listeners with your taste play it again and again."


def test_settings_are_honoured_before_the_next_night(say: Say, home: Home) -> None:
    change_preference(home.preferences, "ann", personalisation=False)
    lines = say("recommend", "ann", "--explain", "--home", home.root).out.splitlines()
    assert lines == [
        "You have switched personal recommendations off.",
        "",
        "For you, by the night of 8 January 2026:",
        " 1. Red by Bo",
        "    It is popular: 75 % of all listeners play it.",
    ]
    document = say("recommend", "ann", "--home", home.root, "--json").document
    assert document["about"] is None
    assert document["shelves"]["for-you"][0]["because"].startswith("You have switched personal recommendations off, and it is")


def test_privacy_first_tells_nothing_of_the_listener_either(say: Say, home: Home) -> None:
    change_preference(home.preferences, "bob", privacy_first=True)
    out = say("recommend", "bob", "--explain", "--home", home.root).out
    assert out.startswith("You asked for privacy first, so nothing that you heard is used.\n")
    assert "jazz" not in out


def test_who_explores_is_told_so(say: Say, home: Home) -> None:
    change_preference(home.preferences, "ann", explore=True)
    out = say("recommend", "ann", "--explain", "--home", home.root).out
    assert "You asked to explore, so more of it than usual is new to you." in " ".join(out.split())


def test_an_unknown_listener_is_refused_with_one_who_is_known(say: Say, home: Home) -> None:
    line = say("recommend", "nobody", "--home", home.root).refusal
    assert line == "Version '2026-01-08' does not know a listener 'nobody'. Name one that it knows, such as 'ann'."


def test_an_unknown_shelf_is_refused_with_those_that_exist(say: Say, home: Home) -> None:
    line = say("recommend", "bob", "--shelf", "discover-weekly", "--home", home.root).refusal
    assert "There is no shelf 'discover-weekly' for this listener: there are for-you" in line


def test_before_the_first_night_there_is_nothing_to_tell(say: Say, home: Home, tmp_path: Path) -> None:
    assert "no version is published" in say("recommend", "ann", "--home", tmp_path / "new").refusal
    Versions(home.versions).point_to("initial")
    assert "version 'initial', which is in service, is no night's" in say("recommend", "ann", "--home", home.root).refusal


def test_every_cluster_has_its_words() -> None:
    named = {name for poles in (RATES, PROFILE) for pair in poles.values() for name in pair}
    assert named == set(CLUSTERS)


def test_english_asks_for_small_words() -> None:
    assert [often(n) for n in (1, 2, 3, 1_200)] == ["once", "twice", "3 times", "1,200 times"]
    assert [counted(n, "day") for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]
    assert [percent(s) for s in (0.0, 0.004, 0.5, 0.996, 1.0)] == ["0 %", "less than 1 %", "50 %", "more than 99 %", "100 %"]
    assert (day(NIGHT), moment(NIGHT + 63_000_000)) == ("8 January 2026", "8 January 2026, 17:30 UTC")


SHOWS = (Show("talk", "news", 0.4, 0.5, 30.0), Show("chat", "comedy", 0.0, 0.5, 30.0), Show("lore", "history", 0.6, 0.5, 30.0))
GENRES = Catalogue.of([Item(show.show, show.show, show=show.show, show_genre=show.genre) for show in SHOWS])
HEARD: Mapping[str, Any] = {
    "user_id": "ann",
    "show_listens_28d": {"talk": 5},
    "show_completion_28d": {"talk": 0.82},
    "genre_affinity": [0.5, 0.0, 0.2],
    "shows": ["talk", "chat", "lore"],
    "scores": [0.9, 0.5, 0.1],
}


def live(row: Mapping[str, Any], wishes: Preference, folder: Path, held: Preference = Preference()) -> list[str]:  # noqa: B008
    version = Version(folder)
    vars(version).update(ranker=SimpleNamespace(shows=SHOWS), catalogue=GENRES, preferences={"ann": held})
    return [f"{one.show}: {one.why}" for one in live_shows(version, row, wishes)]


def test_the_live_path_explains_itself_from_the_row(tmp_path: Path) -> None:
    assert live(HEARD, Preference(), tmp_path) == [
        "talk: You listened to it 5 times in the last four weeks, and you hear 82 % of an episode on average.",
        "chat: You have not heard it in the last four weeks, but comedy is a genre that you enjoy.",
        "lore: You have not heard it in the last four weeks. 60 % of all listeners heard it.",
    ]


def test_one_listen_to_the_end_is_told_as_that(tmp_path: Path) -> None:
    row = {**HEARD, "show_listens_28d": {"talk": 1, "chat": 2}, "show_completion_28d": {"talk": 1.0}}
    assert live(row, Preference(), tmp_path)[:2] == [
        "talk: You listened to it once in the last four weeks, to the end.",
        "chat: You listened to it twice in the last four weeks.",
    ]


@pytest.mark.parametrize("wishes", [Preference(personalisation=False), Preference(privacy_first=True)])
def test_the_live_path_tells_what_is_popular_where_nothing_personal_is_wanted(tmp_path: Path, wishes: Preference) -> None:
    assert live(HEARD, wishes, tmp_path) == [
        "lore: 60 % of all listeners heard it.",
        "talk: 40 % of all listeners heard it.",
        "chat: Few have found it so far.",
    ]


def test_a_row_that_was_ranked_without_anything_personal_is_explained_so(tmp_path: Path) -> None:
    assert live(HEARD, Preference(), tmp_path, Preference(privacy_first=True))[0] == "talk: 40 % of all listeners heard it."


def test_a_row_without_a_ranking_has_no_shows(tmp_path: Path) -> None:
    assert live({**HEARD, "shows": None, "scores": None}, Preference(), tmp_path) == []


ENGAGED = Engagement(
    ("ann", "bob", "cat"),
    ("a", "b", "c"),
    csr_array(np.array([[0.5, 0.1, 0.0], [0.9, 0.0, 0.5], [0.5, 0.5, 0.5]])),
)


def test_popular_is_what_most_listeners_play() -> None:
    found = popular(ENGAGED, {}, FeatureConstants())
    assert [(one.item, round(one.score, 9)) for one in found] == [("a", 1.0), ("c", 0.666666667), ("b", 0.333333333)]
    assert found[0] == Recommended("a", 1.0, (Reason(POPULAR, value=1.0),))


def test_whoever_wants_privacy_first_is_not_counted() -> None:
    wishes = {"cat": Preference(privacy_first=True), "bob": Preference(personalisation=False)}
    assert [(one.item, one.score) for one in popular(ENGAGED, wishes, FeatureConstants())] == [("a", 1.0), ("c", 0.5)]


def test_where_nobody_plays_anything_nothing_is_popular() -> None:
    nobody = Engagement((), (), csr_array((0, 0)))
    assert popular(nobody, {}, FeatureConstants()) == ()
    assert popular(ENGAGED, dict.fromkeys(ENGAGED.users, Preference(privacy_first=True)), FeatureConstants()) == ()
