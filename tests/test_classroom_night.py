"""The class through Kafka, the lake and a night: the same neighbours and recommendations as on paper.

The night publishes the profiles and neighbours. The class's recommendations, which name neighbours, are made of the night's
engagement here; what the night publishes chooses among the same songs, and names nobody.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from batch.asked import night_asked
from batch.engagement import Engagement, engagement
from batch.listens import Job
from batch.night import run_night
from batch.recommend import Recommender
from contract.event import Event
from contract.home import Home
from contract.lake import Lake
from contract.recommendation import read_shelves, sentence
from contract.records import Watermark, encode, partition_of
from contract.versions import Versions
from contract.windows import DAY_MS, HOUR_MS, parse_instant
from lab.classroom.command import classroom
from lab.classroom.group import Group, built_in, from_folder
from lab.pipeline import Pipeline
from lab.stack.embedded import open_embedded
from streaming.kafka_log import KafkaLog
from streaming.member import Member
from streaming.redis_store import RedisStore, connect
from tests.toylake import event

pytestmark = [pytest.mark.spark, pytest.mark.stack]
PARTITIONS, SEED = 4, 7
DAY = parse_instant("2026-01-05")
PLAYED_MS = {0.1: (10_000,), 0.5: (100_000,), 0.9: (100_000, 100_000)}
"""How somebody listened to a song that they skipped, played, and played again within the day."""


class Told(NamedTuple):
    """The profiles by listener, the version's folder, and the engagement that the night collected."""

    profiles: dict[str, dict[str, Any]]
    folder: Path
    heard: Engagement


def listens(group: Group) -> Iterator[Event]:
    matrix = group.heard.matrix.toarray()
    for i, user in enumerate(group.heard.users):
        for j, song in enumerate(group.heard.items):
            for again, played in enumerate(PLAYED_MS.get(matrix[i, j], ())):
                yield event(user, song, DAY + (1 + again) * HOUR_MS + j * 1_000, ms_played=played)


def as_folder(group: Group, place: Path) -> Path:
    """Write a class as the two files that a class has."""
    matrix, names = group.heard.matrix.toarray(), group.heard
    scores = [f'{user},"{song}",{matrix[i, j]}' for i, user in enumerate(names.users) for j, song in enumerate(names.items)]
    songs = [f'"{item.title}","{item.artist}",{item.genre}' for item in group.catalogue.items.values()]
    (place / "engagement.csv").write_text("\n".join(["user_id,song,engagement_score", *scores]))
    (place / "songs.csv").write_text("\n".join(["song,artist,genre", *songs]))
    return place


@pytest.fixture(scope="module", params=["built in", "of the course"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "built in":
        return as_folder(built_in(SEED), tmp_path_factory.mktemp("class"))
    if "SKEWLAB_DATA" not in os.environ:
        pytest.skip("SKEWLAB_DATA does not name the folder of the class")
    return Path(os.environ["SKEWLAB_DATA"]) / "classroom"


@pytest.fixture(scope="module")
def told(spark: SparkSession, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What the night says."""
    group, place = from_folder(folder), tmp_path_factory.mktemp("class-night")
    home = Home(place / "home")
    Versions(home.versions).publish_initial(group.catalogue)
    stack = open_embedded(place, PARTITIONS)
    client, log = connect(stack.redis), KafkaLog(stack.kafka, PARTITIONS)
    try:
        store = RedisStore(client)
        pipeline = Pipeline(home, log, store, Member(home, store, PARTITIONS, 50), PARTITIONS)
        pipeline.open()
        pipeline.send((partition_of(e.user_id, PARTITIONS), e.user_id.encode(), encode(e)) for e in listens(group))
        pipeline.control(Watermark(DAY + DAY_MS))
        pipeline.consume()
        pipeline.archive()
    finally:
        log.close()
        client.close()
        stack.stop()
    job = Job(spark, Lake(home.lake))
    version = run_night(job, home, DAY + DAY_MS, SEED)
    profiles = {row["user_id"]: row for row in pq.read_table(version.folder / "profiles.parquet").to_pylist()}
    with night_asked(job, DAY + DAY_MS, version.manifest.cuts, people=True) as asked:
        return Told(profiles, version.folder, engagement(asked))


def test_the_night_says_what_the_class_works_out(told: Told, folder: Path) -> None:
    document = classroom(folder, None, 5.0, SEED)[0]
    assert len(told.profiles) == 10
    assert list(told.profiles) == list(document["profiles"])
    for user, row in told.profiles.items():
        near = [
            [name, pytest.approx(score, abs=1e-9)] for name, score in zip(row["neighbours"], row["similarities"], strict=True)
        ]
        assert document["neighbours"][user] == near
        profile = document["profiles"][user]
        assert {name: row[name] for name in ("skip_rate", "replay_rate", "top_genre", "top_genre_affinity")} == {
            name: profile[name] if isinstance(profile[name], str) else pytest.approx(profile[name], abs=1e-9)
            for name in ("skip_rate", "replay_rate", "top_genre", "top_genre_affinity")
        }


def test_the_nights_engagement_gives_the_class_its_recommendations(told: Told, folder: Path) -> None:
    group, document = from_folder(folder), classroom(folder, None, 5.0, SEED)[0]
    found = Recommender(told.heard, group.catalogue, group.constants, SEED).all(5)
    for user, recommended in zip(told.heard.users, found, strict=True):
        assert document["recommendations"][user] == [[one.item, pytest.approx(one.score, abs=1e-9)] for one in recommended]
        assert document["reasons"][user] == [one.reason for one in recommended]


def test_what_is_published_is_chosen_among_the_same_songs_and_names_nobody(told: Told, folder: Path) -> None:
    group = from_folder(folder)
    for i, user in enumerate(told.heard.users):
        liked = {item for item, value in zip(told.heard.items, told.heard.matrix[[i]].toarray()[0], strict=True) if value > 0.1}
        shelf = read_shelves(told.folder, user)["for-you"]
        assert {one.item for one in shelf} == set(group.catalogue.items) - liked
        assert not any(who in sentence(one.reasons, group.catalogue) for one in shelf for who in told.heard.users)
