"""The classroom by hand: a class of four whose every figure is worked out here, then the class of the course's own data.

Four listeners and five songs (``-`` is not heard; skipped 0.1, played 0.5, played again 0.9)::

            anthem   ballad   chant   dirge   elegy        genre
    ada      0.9      0.5      0.1     -       -           anthem, ballad: pop
    bob      0.9      0.9      0.1     0.5     -           chant, dirge: rock
    cleo     0.1      -        0.9     0.9     -           elegy: pop, and nobody has heard it
    dan      0.1      0.1      -       -       -           eve has heard nothing
"""

from __future__ import annotations

import csv
import json
import math
import os
from pathlib import Path

import pytest

from contract.errors import UsageError
from lab.classroom.command import classroom
from lab.classroom.group import SONGS as SONGS_OF_THE_CLASS
from tests.saying import Say

SONGS = "song,artist,genre\nanthem,A,pop\nballad,B,pop\nchant,C,rock\ndirge,D,rock\nelegy,A,pop\n"
SCORES = {
    "ada": {"anthem": 0.9, "ballad": 0.5, "chant": 0.1},
    "bob": {"anthem": 0.9, "ballad": 0.9, "chant": 0.1, "dirge": 0.5},
    "cleo": {"anthem": 0.1, "chant": 0.9, "dirge": 0.9},
    "dan": {"anthem": 0.1, "ballad": 0.1},
    "eve": {"anthem": 0.0},
}


def folder_of(place: Path, scores: dict[str, dict[str, float]] = SCORES, songs: str = SONGS) -> Path:
    rows = [f"{user},{song},{score}" for user, heard in scores.items() for song, score in heard.items()]
    (place / "engagement.csv").write_text("\n".join(["user_id,song,engagement_score", *rows]) + "\n")
    (place / "songs.csv").write_text(songs)
    return place


@pytest.fixture
def toy(tmp_path: Path) -> dict[str, dict]:  # type: ignore[type-arg]
    return classroom(folder_of(tmp_path), None, 5.0, 7)[0]


def test_rates_count_songs(toy: dict) -> None:  # type: ignore[type-arg]
    rates = {user: (p["skip_rate"], p["replay_rate"]) for user, p in toy["profiles"].items()}
    assert rates == {
        "ada": (1 / 3, 1 / 3),  # chant of three; anthem of three
        "bob": (1 / 4, 2 / 4),
        "cleo": (1 / 3, 2 / 3),
        "dan": (2 / 2, 0 / 2),
        "eve": (None, None),
    }


def test_the_top_genre_is_that_of_the_highest_mean(toy: dict) -> None:  # type: ignore[type-arg]
    top = {user: (p["top_genre"], p["top_genre_affinity"]) for user, p in toy["profiles"].items()}
    assert top == {
        "ada": ("pop", pytest.approx(0.7)),  # (0.9 + 0.5) / 2 against rock 0.1
        "bob": ("pop", pytest.approx(0.9)),  # against rock (0.1 + 0.5) / 2
        "cleo": ("rock", pytest.approx(0.9)),  # against pop 0.1
        "dan": ("pop", pytest.approx(0.1)),  # skipped, but nothing else is known
        "eve": (None, None),
    }


def test_the_nearest_are_those_of_the_largest_cosine(toy: dict) -> None:  # type: ignore[type-arg]
    # lengths: ada sqrt(.81 + .25 + .01), bob sqrt(.81 + .81 + .01 + .25), cleo sqrt(.01 + .81 + .81), dan sqrt(.02)
    ada, bob, cleo, dan = math.sqrt(1.07), math.sqrt(1.88), math.sqrt(1.63), math.sqrt(0.02)
    ada_bob = (0.9 * 0.9 + 0.5 * 0.9 + 0.1 * 0.1) / (ada * bob)  # 1.27
    ada_cleo = (0.9 * 0.1 + 0.1 * 0.9) / (ada * cleo)  # 0.18
    ada_dan = (0.9 * 0.1 + 0.5 * 0.1) / (ada * dan)  # 0.14
    bob_cleo = (0.9 * 0.1 + 0.1 * 0.9 + 0.5 * 0.9) / (bob * cleo)  # 0.63
    bob_dan = (0.9 * 0.1 + 0.9 * 0.1) / (bob * dan)  # 0.18
    cleo_dan = 0.1 * 0.1 / (cleo * dan)
    assert toy["neighbours"] == {
        "ada": [["dan", pytest.approx(ada_dan)], ["bob", pytest.approx(ada_bob)], ["cleo", pytest.approx(ada_cleo)]],
        "bob": [["dan", pytest.approx(bob_dan)], ["ada", pytest.approx(ada_bob)], ["cleo", pytest.approx(bob_cleo)]],
        "cleo": [["bob", pytest.approx(bob_cleo)], ["ada", pytest.approx(ada_cleo)], ["dan", pytest.approx(cleo_dan)]],
        "dan": [["ada", pytest.approx(ada_dan)], ["bob", pytest.approx(bob_dan)], ["cleo", pytest.approx(cleo_dan)]],
        "eve": [],
    }


def test_scores_are_means_of_the_neighbours_weighted_by_likeness(toy: dict) -> None:  # type: ignore[type-arg]
    near = {user: dict(map(tuple, found)) for user, found in toy["neighbours"].items()}
    ada, bob = near["ada"], near["bob"]
    total = sum(ada.values())
    dirge = (0.5 * ada["bob"] + 0.9 * ada["cleo"]) / total  # dan has not heard it: 0
    chant = (0.1 * ada["bob"] + 0.9 * ada["cleo"]) / total  # ada skipped it
    assert toy["recommendations"]["ada"][:2] == [["dirge", pytest.approx(dirge)], ["chant", pytest.approx(chant)]]
    assert toy["recommendations"]["bob"][0] == [
        "chant",
        pytest.approx((0.1 * bob["ada"] + 0.9 * bob["cleo"]) / sum(bob.values())),
    ]


def test_each_recommendation_has_an_honest_reason(toy: dict) -> None:  # type: ignore[type-arg]
    reasons = {
        user: dict(zip([t for t, _ in toy["recommendations"][user]], why, strict=True)) for user, why in toy["reasons"].items()
    }
    assert reasons["ada"]["dirge"] == "bob, who listens much as you do, plays it"
    assert reasons["ada"]["elegy"] == "nobody has heard it yet, and you like A"  # anthem's artist: 0.9 against pop's 0.7
    assert reasons["bob"]["chant"] == "cleo, who listens much as you do, plays it again and again"
    assert set(reasons["dan"].values()) == {"you have skipped everything so far: something else, by chance"}
    assert reasons["eve"]["anthem"] == "popular with everybody: 2 of 5 play it"


def test_who_has_heard_nothing_gets_what_is_popular(toy: dict) -> None:  # type: ignore[type-arg]
    # summed engagement: anthem 0.9 + 0.9 + 0.1 + 0.1, ballad 0.5 + 0.9 + 0.1, dirge 0.5 + 0.9, chant 0.1 + 0.1 + 0.9
    assert toy["recommendations"]["eve"] == [
        ["anthem", pytest.approx(2.0)],
        ["ballad", pytest.approx(1.5)],
        ["dirge", pytest.approx(1.4)],
        ["chant", pytest.approx(1.1)],
    ]
    assert toy["notes"] == ["1 without anything heard: eve"]


def test_clusters_are_named_by_where_they_lie(tmp_path: Path) -> None:
    half = {f"s{i}": {**dict.fromkeys("abcd", 0.1), "e": 0.5} for i in range(3)}
    again = {f"r{i}": dict.fromkeys("abcde", 0.9) for i in range(3)}
    songs = "song,artist,genre\n" + "".join(f"{name},x,pop\n" for name in "abcde")
    found = classroom(folder_of(tmp_path, {**half, **again}, songs), None, 5.0, 7)[0]["profiles"]
    assert {found[f"s{i}"]["cluster"] for i in range(3)} in ({"skippers"}, {"explorers"})
    assert {found[f"r{i}"]["cluster"] for i in range(3)} in ({"repeat listeners"}, {"patient listeners"})


def test_a_matrix_of_ratings_is_a_class_too(tmp_path: Path) -> None:
    (tmp_path / "stars.csv").write_text("who,x,y,z\nann,5,0,1\nben,5,4,0\ncy,1,1,1\nnew,0,0,0\n")
    found = classroom(None, tmp_path / "stars.csv", 5.0, 7)[0]
    assert found["profiles"]["ann"] | {"cluster": ""} == {
        "skip_rate": 0.5, "replay_rate": 0.5, "top_genre": None, "top_genre_affinity": None, "cluster": "",
    }  # fmt: skip
    # ann (1, -, 0.2), ben (1, 0.8, -): cosine 1 / (sqrt(1.04) * sqrt(1.64)); cy (0.2, 0.2, 0.2): 0.24 / (sqrt(1.04) * sqrt(0.12))
    ben, cy = 1 / math.sqrt(1.04 * 1.64), 0.24 / math.sqrt(1.04 * 0.12)
    assert found["neighbours"]["ann"] == [["ben", pytest.approx(ben)], ["cy", pytest.approx(cy)]]
    assert found["recommendations"]["ann"][0] == ["y", pytest.approx((0.8 * ben + 0.2 * cy) / (ben + cy))]
    assert found["recommendations"]["new"][0][0] == "x"


def test_the_built_in_class_is_seeded(say: Say) -> None:
    first, again, other = (say("classroom", "--json", "--seed", seed).document for seed in (7, 7, 8))
    assert first == again != other
    assert len(first["profiles"]) == 10
    assert all(len(found) == 3 for found in first["neighbours"].values())
    titles = {title for found in first["recommendations"].values() for title, _ in found}
    assert titles <= {title for title, _, _ in SONGS_OF_THE_CLASS}


def test_the_class_of_the_course_against_plain_loops() -> None:
    if "SKEWLAB_DATA" not in os.environ:
        pytest.skip("SKEWLAB_DATA does not name the folder of the class")
    folder = Path(os.environ["SKEWLAB_DATA"]) / "classroom"
    with (folder / "engagement.csv").open() as file:
        scores: dict[str, dict[str, float]] = {}
        for row in csv.DictReader(file):
            scores.setdefault(row["user_id"], {})[row["song"]] = float(row["engagement_score"])
    found = classroom(folder, None, 5.0, 7)[0]
    for user, own in scores.items():
        length = {u: math.sqrt(sum(v * v for v in s.values())) for u, s in scores.items()}
        cosine = {u: sum(own[t] * s[t] for t in own) / (length[user] * length[u]) for u, s in scores.items() if u != user}
        near = sorted(cosine, key=lambda u: (-cosine[u], u))[:3]
        assert found["neighbours"][user] == [[u, pytest.approx(cosine[u], abs=1e-12)] for u in near]
        total = sum(cosine[u] for u in near)
        mean = {t: sum(cosine[u] * scores[u][t] for u in near) / total for t in own if own[t] == 0.1}
        best = sorted(mean, key=lambda t: (-round(mean[t], 12), t))[:5]
        assert found["recommendations"][user] == [[t, pytest.approx(mean[t], abs=1e-12)] for t in best]
        assert found["profiles"][user]["skip_rate"] == sum(v == 0.1 for v in own.values()) / 15
        assert found["profiles"][user]["replay_rate"] == sum(v == 0.9 for v in own.values()) / 15


BAD = {
    "score above 1": (
        "engagement.csv",
        "user_id,song,engagement_score\nann,anthem,1.5\n",
        "'1.5' is no engagement score: line 2",
    ),
    "no number": ("engagement.csv", "user_id,song,engagement_score\nann,anthem,much\n", "'much' is no engagement score"),
    "pair twice": ("engagement.csv", "user_id,song,engagement_score\nann,anthem,0.5\nann,anthem,0.9\n", "stands twice.*line 3"),
    "no column": ("engagement.csv", "user,song,engagement_score\nann,anthem,0.5\n", "no column 'user_id'"),
    "delimiter": ("engagement.csv", "user_id;song;engagement_score\nann;anthem;0.5\n", "no column 'user_id'"),
    "song twice": ("songs.csv", SONGS + "anthem,Z,rock\n", "song anthem stands twice"),
    "no file": ("songs.csv", None, "There is no songs.csv"),
    "empty": ("engagement.csv", "", "cannot be read"),
    "head alone": ("engagement.csv", "user_id,song,engagement_score\n", "engagement.csv has no score"),
    "nameless": ("engagement.csv", "user_id,song,engagement_score\n ,anthem,0.5\n", "has no name: line 2"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_class_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path, bad: str) -> None:
    name, text, says = BAD[bad]
    folder_of(tmp_path)
    (tmp_path / name).unlink()
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=says):
        classroom(tmp_path, None, 5.0, 7)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("who,x\nann,6\n", "'6' is no rating of 'x': line 2"),
        ("who,x\nann,-1\n", "'-1' is no rating"),
        ("who,x\nann,1\nann,2\n", "listener ann stands twice"),
        ("who,x,x\nann,1,2\n", "two of its columns"),
        ("who\nann\n", "has no items"),
        ("who,x\n", "stars.csv has no listener"),
        ("who,x\n,1\n", "has no name: line 2"),
        ("who;x\nann;1\n", "has no items"),
    ],
)
def test_a_matrix_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "stars.csv").write_text(text)
    with pytest.raises(UsageError, match=says):
        classroom(None, tmp_path / "stars.csv", 5.0, 7)


def test_all_of_it_can_be_read_by_people(say: Say, tmp_path: Path) -> None:
    said = say("classroom", folder_of(tmp_path))
    assert "ada: skips 33%, replays 33%, likes pop best (0.70)" in said.out
    assert "eve: has heard nothing" in said.out
    assert json.loads(say("classroom", tmp_path, "--json").out)["profiles"]["dan"]["skip_rate"] == 1.0


def test_a_song_that_the_list_of_songs_lacks_is_told(tmp_path: Path) -> None:
    found = classroom(folder_of(tmp_path, {**SCORES, "fay": {"anthem": 0.5, "anthme": 0.9}}), None, 5.0, 7)[0]
    assert found["notes"][-1] == "1 not in songs.csv, so of no known genre: anthme"


def test_no_folder_is_told_as_that() -> None:
    with pytest.raises(UsageError, match=r"^nowhere is no folder: songs\.csv is looked for in it"):
        classroom(Path("nowhere"), None, 5.0, 7)
