"""The monitor: one night in, one verdict out."""

from __future__ import annotations

import pandas as pd

from batch.listens import Job
from contract.home import Home
from contract.windows import iso
from monitoring.checks import Checks
from monitoring.measures import UNMATCHED, Measures, measure
from monitoring.night import Night, load_night
from monitoring.segments import profile, worst
from monitoring.verdict import Verdict, only_features, write_verdict


def monitor(job: Job, home: Home, checks: Checks, as_of_ms: int) -> Verdict:
    """Compare both paths at a night, judge the four suites, and keep the verdict.

    Raises:
        CannotJudge: the night was not run, or the live path has not passed it.
    """
    night = load_night(job, home, as_of_ms)
    return judge(job, home, checks, night)


def judge(job: Job, home: Home, checks: Checks, night: Night) -> Verdict:
    """Judge a loaded night."""
    measures = measure(night)
    judged = checks.judge(measures.frames(), iso(night.as_of_ms))
    both = pd.concat([measures.parity, measures.requests], ignore_index=True)
    affected = _affected(both)
    shares = [told["exact"] for told in measures.features.values()]
    verdict = Verdict(
        night=iso(night.as_of_ms),
        operations=judged["operations"].outcome,
        distribution=judged["distribution"].outcome,
        parity=judged["parity"].outcome,
        ranking=judged["ranking"].outcome,
        exact=bool(len(both)) and not both[UNMATCHED].any() and all(share == 1.0 for share in shares),
        ranking_required=night.judges_ranking,
        version=night.version.manifest.computed_with,
        listeners=len(night.batch),
        requests=len(measures.requests),
        missing=sum(len(pair.missing) for pair in (night.snapshot, night.requests)),
        extra=sum(len(pair.extra) for pair in (night.snapshot, night.requests)),
        affected=affected,
        alarmed=[f for f in only_features([c for c, _ in judged["parity"].failed]) if measures.features[f]["beyond"]],
        failed={name: sorted({column for column, _ in one.failed}) for name, one in judged.items()},
        features={name: dict(told) for name, told in measures.features.items()},
        distances=_distances(measures),
        rankings=_rankings(measures.ranking),
        segments=worst(profile(job.lake, night.version, night.as_of_ms), affected) if affected else [],
    )
    write_verdict(home, verdict)
    return verdict


def _affected(parity: pd.DataFrame) -> list[str]:
    """Return the listeners with a feature beyond tolerance, or that only one path answers for."""
    columns = [name for name in parity.columns if name != "user_id"]
    hit = (parity[columns] > 0).any(axis=1)
    return sorted(parity.loc[hit, "user_id"].unique().tolist())


def _distances(measures: Measures) -> dict[str, dict[str, float]]:
    return {str(row["feature"]): {k: float(row[k]) for k in ("psi", "js", "linf")} for _, row in measures.distribution.iterrows()}


def _rankings(ranking: pd.DataFrame) -> dict[str, float | None]:
    if not len(ranking):
        return {"overlap": None, "rbo": None, "score_difference": None, "changed": None}
    means = {name: float(ranking[name].mean()) for name in ("overlap", "rbo", "score_difference")}
    return {**means, "changed": float((ranking["rbo"] < 1.0).mean())}
