"""The monitor: one night in, one verdict out."""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd

from batch.listens import Job
from contract.home import Home
from contract.windows import iso
from monitoring.calibration import calibration_for
from monitoring.checks import Checks
from monitoring.damage import keep_rankings
from monitoring.limits import DEFAULTS, Limits
from monitoring.measures import MAIN, PARTS, UNMATCHED, Measures, means, measure
from monitoring.night import Night, load_night
from monitoring.numbers import compared, joined
from monitoring.segments import by_segment, profile, worst
from monitoring.slices import smallest_slice
from monitoring.suites import TRAINING
from monitoring.training import differing, training_frame
from monitoring.verdict import SegmentNumbers, Verdict, only_features, write_verdict


def monitor(job: Job, home: Home, checks: Checks, as_of_ms: int) -> Verdict:
    """Compare both paths at a night, judge the four suites, and keep the verdict.

    Raises:
        CannotJudge: as ``load_night`` does, or a suite has no expectation.
    """
    night = load_night(job, home, as_of_ms)
    return judge(job, home, checks, night)


def judge(job: Job, home: Home, checks: Checks, night: Night) -> Verdict:
    """Judge a loaded night, by the limits that the home was calibrated to, else by the defaults.

    Both rankings of the day's requests are kept, for an offline replay when it is known what listeners did afterwards.
    """
    measures = measure(night)
    calibrated = calibration_for(home, night.version.name)
    limits = calibrated.limits if calibrated else DEFAULTS
    trained = training_frame(home, night.version)
    judged = checks.judge({**measures.frames(), TRAINING: {MAIN: means(trained)}}, iso(night.as_of_ms), limits)
    frames = (measures.parity, measures.requests)
    pairs = dict(zip(PARTS, (night.snapshot, night.requests), strict=True))
    affected = affected_by(*frames)
    shares = [told["exact"] for told in measures.features.values()]
    verdict = Verdict(
        night=iso(night.as_of_ms),
        operations=judged["operations"].outcome,
        distribution=judged["distribution"].outcome,
        parity=judged["parity"].outcome,
        ranking=judged["ranking"].outcome,
        exact=any(map(len, frames)) and not any(f[UNMATCHED].any() for f in frames) and all(s == 1.0 for s in shares),
        ranking_required=night.judges_ranking,
        version=night.version.manifest.computed_with,
        listeners=len(night.batch),
        requests=len(measures.requests),
        missing=sum(len(pair.missing) for pair in pairs.values()),
        extra=sum(len(pair.extra) for pair in pairs.values()),
        affected=affected,
        alarmed=[f for f in only_features([c for c, _ in judged["parity"].failed]) if measures.features[f]["beyond"]],
        failed={name: sorted({column for column, _ in one.failed}) for name, one in judged.items()},
        features={name: dict(told) for name, told in measures.features.items()},
        distances=_distances(measures),
        rankings=_rankings(measures.ranking),
        segments=[],
        training=judged[TRAINING].outcome,
        leaked=differing(trained),
        parts={part: {name: dict(told) for name, told in found.items()} for part, found in measures.parts.items()},
        rows={part: {"both": len(p), "missing": len(p.missing), "extra": len(p.extra)} for part, p in pairs.items()},
        calibration=calibrated.version if calibrated else None,
    )
    if affected:
        verdict = _for_whom(verdict, night, profile(job.lake, night.version, night.as_of_ms), limits)
    keep_rankings(home, night.as_of_ms, night.requests)
    write_verdict(home, verdict)
    return verdict


def affected_by(*parity: pd.DataFrame) -> list[str]:
    """Return the listeners with a feature beyond tolerance, or that only one path answers for."""
    hit = [frame.loc[(frame.drop(columns="user_id") > 0).any(axis=1), "user_id"] for frame in parity]
    return sorted({user for users in hit for user in users.tolist()})


def _for_whom(verdict: Verdict, night: Night, people: pd.DataFrame, limits: Limits) -> Verdict:
    """Tell in which groups of listeners it is worse, feature by feature, and which group explains most of it."""
    hit = np.asarray(people.index.isin(verdict.affected))
    return msgspec.structs.replace(
        verdict,
        segments=worst(people, verdict.affected, limits.segment),
        by_segment=_by_segment(verdict, night, people),
        slice=smallest_slice(people, hit),
    )


def _by_segment(verdict: Verdict, night: Night, people: pd.DataFrame) -> dict[str, list[SegmentNumbers]]:
    pairs = (night.snapshot, night.requests)
    users = [user for pair in pairs for user in pair.left.column("user_id").to_pylist()]
    differing = tuple(only_features([name for part in verdict.parts.values() for name in part]))
    return {parts[0].name: by_segment(people, users, joined(parts)) for parts in compared(pairs, differing)}


def _distances(measures: Measures) -> dict[str, dict[str, float]]:
    return {str(row["feature"]): {k: float(row[k]) for k in ("psi", "js", "linf")} for _, row in measures.distribution.iterrows()}


def _rankings(ranking: pd.DataFrame) -> dict[str, float | None]:
    if not len(ranking):
        return {"overlap": None, "rbo": None, "score_difference": None, "changed": None}
    means = {name: float(ranking[name].mean()) for name in ("overlap", "rbo", "score_difference")}
    return {**means, "changed": float((ranking["rbo"] < 1.0).mean())}
