"""What a class learns of itself: profiles, clusters, neighbours, recommendations, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from batch.clusters import EVERYBODY, RATES, clusters
from batch.profiles import profiles
from batch.recommend import Recommendation, Recommender
from lab.classroom.group import Group

TOP = 5


@dataclass(frozen=True)
class Listener:
    """One listener: rates and affinity are None where nothing was heard."""

    user: str
    skip_rate: float | None
    replay_rate: float | None
    top_genre: str | None
    top_genre_affinity: float | None
    cluster: str
    neighbours: Sequence[tuple[str, float]]
    recommendations: Sequence[Recommendation]


def lesson(group: Group, seed: int) -> list[Listener]:
    """Work a class out, in the order of the listeners' names."""
    told = profiles(group.heard, group.catalogue, group.constants)
    cluster = clusters({"skip_rate": told.skip_rate, "replay_rate": told.replay_rate}, RATES, seed)
    recommender = Recommender(group.heard, group.catalogue, group.constants, seed)
    near = recommender.nearest()
    found = recommender.all(TOP)
    return [
        Listener(
            user=user,
            skip_rate=_known(told.skip_rate[i]),
            replay_rate=_known(told.replay_rate[i]),
            top_genre=told.top_genre[i],
            top_genre_affinity=_known(told.top_genre_affinity[i]),
            cluster=cluster[i],
            neighbours=near[i],
            recommendations=found[i],
        )
        for i, user in enumerate(group.heard.users)
    ]


def document(group: Group, listeners: Sequence[Listener]) -> dict[str, Any]:
    """Return it for scripts: the three promised keys, and the reasons beside them."""
    title = {item.item_id: item.title for item in group.catalogue.items.values()}
    return {
        "profiles": {one.user: _profile(one) for one in listeners},
        "neighbours": {one.user: [[name, score] for name, score in one.neighbours] for one in listeners},
        "recommendations": {one.user: [[title.get(r.item, r.item), r.score] for r in one.recommendations] for one in listeners},
        "reasons": {one.user: [r.reason for r in one.recommendations] for one in listeners},
        "notes": list(group.notes),
    }


def lines(group: Group, listeners: Sequence[Listener]) -> list[str]:
    """Return it for people."""
    told: list[str] = [*group.notes]
    for one in listeners:
        genre = f", likes {one.top_genre} best ({one.top_genre_affinity:.2f})" if one.top_genre else ""
        rates = "has heard nothing" if one.skip_rate is None else f"skips {one.skip_rate:.0%}, replays {one.replay_rate:.0%}"
        told += [f"{one.user}: {rates}{genre}{_among(one)}"]
        told += ["  nearest: " + (", ".join(f"{name} {score:.3f}" for name, score in one.neighbours) or "nobody")]
        told += [f"  {r.score:.3f}  {r.item}: {r.reason}" for r in one.recommendations]
    return told


def _profile(one: Listener) -> Mapping[str, Any]:
    names = ("skip_rate", "replay_rate", "top_genre", "top_genre_affinity", "cluster")
    return {name: getattr(one, name) for name in names}


def _among(one: Listener) -> str:
    return "" if one.cluster == EVERYBODY else f"; one of the {one.cluster}"


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
