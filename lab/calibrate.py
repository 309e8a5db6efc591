"""``skewlab calibrate``: how large the monitor's numbers get on clean nights of this home's own world.

The home's lake is gone through again by the clean live path, in this process, from before the first of the nights on: once as it
is, to make sure that a night is clean, and then several times with what no monitor may alarm at: steps that come late and grow
(``benign-lag``) and values that went through 32-bit floats. A night on which even the undisturbed live path does not say exactly
what the batch path published is no clean night: a skew of the batch side was in it, or its code has changed since. It is left out
and named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from batch.listens import REQUEST
from contract.errors import CannotJudge
from contract.features import BY_NAME, FEATURES
from contract.home import Home
from contract.lake import Lake
from contract.rows import FeatureColumns, MapColumn
from contract.settings import Settings
from contract.skew import Skew
from contract.versions import Version, Versions
from contract.windows import iso, iso_date
from lab.skews.benign_lag import BenignLag
from monitoring.calibration import DISTANCES, NUMBERS, RANKINGS, SEGMENT, calibrate, write_calibration
from monitoring.compare import Pair, align, mismatches
from monitoring.distances import distances
from monitoring.evidence import stretches_of
from monitoring.frames import read_rows
from monitoring.measures import UNMATCHED
from monitoring.numbers import compared
from monitoring.ranking import rankings
from monitoring.segments import profile
from monitoring.slices import SMALLEST


class SingleFloats(Skew):
    """Values that were written as 32-bit floats, as some stores and clients do: noise, some 6e-8 of a value."""

    id = "single-floats"
    moves = tuple(feature.name for feature in FEATURES if feature.dtype == "float64")
    seen_by = ()

    def features(self, columns: FeatureColumns, window: Any) -> FeatureColumns:
        """Round every float to 32 bits."""
        return {name: _rounded(column) if BY_NAME[name].dtype == "float64" else column for name, column in columns.items()}


def _rounded(column: Any) -> Any:
    if isinstance(column, MapColumn):
        return MapColumn(column.starts, column.keys, _rounded(column.values), column.codes, column.names)
    return column.astype(np.float32).astype(np.float64)


@dataclass(frozen=True)
class Replays:
    """The clean live path over the lake of a home, from the midnight before its first night on."""

    home: Home
    lake: Lake
    nights: Sequence[int]
    step_events: int

    def rows(self, skews: Sequence[Skew] = (), lag: Sequence[Skew] = ()) -> dict[int, pa.Table]:
        """Return everybody's rows at each of the nights, under skews that act since the first of them; see ``Stretch``."""
        stretches = stretches_of(self.lake, self.home, self.nights[0], self.nights[-1], self.step_events, lag=lag)
        rows = pa.concat_tables(stretch.rows(skews) for stretch in stretches)
        return {night: rows.filter(pc.equal(rows.column("as_of_ms"), night)) for night in self.nights}


def calibrate_home(
    settings: Settings, nights: int, replays: int, target: float, say: Callable[[str], None]
) -> tuple[dict[str, Any], list[str]]:
    """Calibrate with the last ``nights`` of a home, each gone through ``replays`` times; return the document and its lines.

    Raises:
        CannotJudge: the home has no night, or none of them is clean.
    """
    home, lake = settings.places, Lake(settings.places.lake)
    published = _published(home, lake, nights)
    again = Replays(home, lake, list(published), settings.step_events)
    clean, unclean = _clean(published, again.rows())
    for night in unclean:
        say(f"{iso(night)} is left out: the batch path published other values than the clean live path makes")
    people = {night: profile(lake, version, night) for night, version in clean.items()}
    numbers: dict[str, dict[str, float]] = {}
    for seed in range(replays):
        say(f"replay {seed + 1} of {replays}: {len(clean)} nights, late steps and 32-bit floats")
        rows = again.rows([SingleFloats()], lag=[BenignLag(1.0, seed)])
        for night, version in clean.items():
            found = _numbers(read_rows(version.rows), rows[night], people[night])
            known = numbers.setdefault(iso(night), found)
            numbers[iso(night)] = {name: max(known[name], found[name]) for name in NUMBERS}
    listeners = min((version.manifest.listeners for version in clean.values()), default=0)
    newest = max((version.name for version in clean.values()), default="")
    result = calibrate(newest, numbers, replays, listeners, target)
    path = write_calibration(home, result)
    document = {**msgspec.to_builtins(result), "left_out": [iso(night) for night in unclean]}
    return document, _lines(document, str(path))


def _published(home: Home, lake: Lake, nights: int) -> dict[int, Version]:
    """Return the last nights of a home, by their instants, that the lake has reached."""
    versions = Versions(home.versions)
    there = {night: iso_date(night) for night in lake.nights()}
    found = [(night, versions.get(name)) for night, name in there.items() if name in versions.names()]
    if not found:
        raise CannotJudge("There is no night to calibrate with", f"{home.root} has none", "Run 'skewlab night' first")
    return dict(found[-nights:])


def _clean(published: Mapping[int, Version], live: Mapping[int, pa.Table]) -> tuple[dict[int, Version], list[int]]:
    clean, unclean = {}, []
    for night, version in published.items():
        pair = align(read_rows(version.rows), live[night], REQUEST)
        if mismatches(pair) or len(pair.missing) or len(pair.extra):
            unclean.append(night)
        else:
            clean[night] = version
    return clean, unclean


def _numbers(batch: pa.Table, live: pa.Table, people: Any) -> dict[str, float]:
    """Return ``NUMBERS`` of a night."""
    pair = align(batch, live, REQUEST)
    beyond = {one.name: one.beyond for (one,) in compared((pair,), tuple(BY_NAME))}
    lonely = len(pair.missing) + len(pair.extra)
    apart = [distances(feature, batch, live) for feature in FEATURES]
    return {
        **{name: float(mask.mean()) if len(mask) else 0.0 for name, mask in beyond.items()},
        UNMATCHED: lonely / max(len(pair) + lonely, 1),
        **{name: max(one[name] for one in apart) for name in DISTANCES},
        **dict(zip(RANKINGS, _moved(pair), strict=True)),
        SEGMENT: _worst_segment(pair, np.logical_or.reduce(list(beyond.values())), people),
    }


def _moved(pair: Pair) -> tuple[float, float, float]:
    ranked = rankings(pair)
    if not len(ranked):
        return 0.0, 0.0, 0.0
    overlap, rbo, score = (float(ranked[name].mean()) for name in RANKINGS)
    return 1 - overlap, 1 - rbo, score


def _worst_segment(pair: Pair, hit: np.ndarray, people: Any) -> float:
    """Return the largest share of hit listeners in any group that is large enough."""
    known = people.reindex(pair.left.column("user_id").to_pylist())
    shares = [0.0]
    for dimension in known.columns:
        groups = known.assign(hit=hit).groupby(dimension)["hit"].agg(["size", "mean"])
        shares += groups.loc[groups["size"] >= SMALLEST, "mean"].tolist()
    return max(shares)


def _lines(document: Mapping[str, Any], path: str) -> list[str]:
    limits, nights = document["limits"], document["nights"]
    moved = {name: value for name, value in document["worst"].items() if value}
    shown = "" if document["shown"] else f" ({len(nights)} nights show no less than one in {len(nights) + 1})"
    return [
        f"nights      {len(nights)}, {document['replays']} replays each, {len(document['left_out'])} left out",
        f"target      {document['target']:g} false alarms a night{shown}",
        f"moved       {', '.join(f'{name} {value:.2g}' for name, value in moved.items()) or 'nothing: 0 on every night'}",
        f"parity      {max(limits['beyond'].values()):.3g} beyond tolerance is borne",
        f"distances   psi {limits['psi']:.3g}, js {limits['js']:.3g}, linf {limits['linf']:.3g}",
        f"ranking     overlap {limits['overlap']:.9g}, rbo {limits['rbo']:.9g}, scores {limits['score_difference']:.3g}",
        f"kept        {path}",
    ]
