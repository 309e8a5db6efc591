"""The incident that the monitor opens when parity fails: what, for whom, since when, at what cost, and who owns it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from contract.features import BY_NAME
from contract.home import Home, write_whole
from contract.windows import parse_instant
from monitoring.onset import onset_of
from monitoring.slices import Slice
from monitoring.verdict import Segment, Verdict


class Suspect(msgspec.Struct, frozen=True):
    """The hypothesis that explains what was seen; ``skew`` is null where none does."""

    skew: str | None = None
    parameter: str | None = None
    explained: float | None = None
    runner_up: str | None = None


class Incident(msgspec.Struct, frozen=True):
    """One incident. ``onset`` is the first night whose values differ, ``opened`` the one on which parity failed.

    ``recovered`` is the first night behind it on which parity passed again, null while there is none.
    """

    onset: str
    opened: str
    last_seen: str
    features: list[str]
    segments: list[Segment]
    owners: list[str]
    suspect: Suspect
    damage: dict[str, float | None]
    recovered: str | None = None
    slice: Slice | None = None
    """The smallest group that explains most of the last night."""


def incidents(verdicts: Sequence[Verdict]) -> list[Incident]:
    """Return the incidents of some nights in order: one for each run of nights on which parity failed."""
    found: list[Incident] = []
    for i, verdict in enumerate(verdicts):
        if verdict.parity == "pass" and found and found[-1].recovered is None:
            found[-1] = msgspec.structs.replace(found[-1], recovered=verdict.night)
        if verdict.parity != "fail":
            continue
        if found and found[-1].last_seen == verdicts[i - 1].night:
            found[-1] = _prolonged(found[-1], verdict)
        else:
            closed = found[-1].last_seen if found else ""
            found.append(_opened(verdict, [earlier for earlier in verdicts[:i] if earlier.night > closed]))
    return found


def _opened(verdict: Verdict, before: Sequence[Verdict]) -> Incident:
    return Incident(
        onset=_onset(verdict, before),
        opened=verdict.night,
        last_seen=verdict.night,
        features=verdict.alarmed,
        segments=verdict.segments,
        owners=sorted({BY_NAME[name].owner for name in verdict.alarmed}),
        suspect=Suspect(),
        damage=_damage(verdict),
        slice=verdict.slice,
    )


def _onset(verdict: Verdict, before: Sequence[Verdict]) -> str:
    """Return the first night on which one of the alarmed features was not exact: it may lie before the alarm."""
    nights = [*before, verdict]
    if not verdict.differs(verdict.alarmed):
        return verdict.night
    return nights[onset_of(range(len(nights)), lambda i: nights[i].differs(verdict.alarmed))].night


def _prolonged(incident: Incident, verdict: Verdict) -> Incident:
    features = [name for name in BY_NAME if name in {*incident.features, *verdict.alarmed}]
    return msgspec.structs.replace(
        incident,
        last_seen=verdict.night,
        features=features,
        segments=verdict.segments,
        owners=sorted({BY_NAME[name].owner for name in features}),
        damage=_damage(verdict),
        slice=verdict.slice,
    )


def _damage(verdict: Verdict) -> dict[str, float | None]:
    """Return what can be told without knowing the truth: who is hit, and how far their rankings moved."""
    return {
        "listeners": len(verdict.affected),
        "share": len(verdict.affected) / max(verdict.listeners, 1),
        "rows_missing": verdict.missing,
        "rows_extra": verdict.extra,
        **{f"ranking_{name}": value for name, value in verdict.rankings.items()},
    }


def write_incidents(home: Home, found: Sequence[Incident]) -> list[Path]:
    """Write each incident as JSON and Markdown, named by its onset.

    What was known of its damage before and is not known now is kept as long as no other night belongs to it: a run of the lab
    knows the truth, which a night that is judged by itself does not.
    """
    paths = []
    for incident in found:
        base = home.incidents / incident.onset[:10]
        incident = _remembering(incident, base.with_suffix(".json"))
        write_whole(base.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(incident), indent=1))
        write_whole(base.with_suffix(".md"), markdown(incident).encode())
        paths.append(base.with_suffix(".md"))
    return paths


def _remembering(incident: Incident, path: Path) -> Incident:
    try:
        before = msgspec.json.decode(path.read_bytes(), type=Incident)
    except (FileNotFoundError, msgspec.MsgspecError):
        return incident
    if (before.onset, before.last_seen) != (incident.onset, incident.last_seen):
        return incident
    return msgspec.structs.replace(incident, damage={**before.damage, **incident.damage})


def markdown(incident: Incident) -> str:
    """Write an incident for people."""
    nights = (parse_instant(incident.last_seen) - parse_instant(incident.onset)) // 86_400_000 + 1
    lines = [
        f"# Training/serving skew since {incident.onset}",
        "",
        f"- **opened** {incident.opened}, last seen {incident.last_seen} ({nights} nights)",
        f"- **owner** {', '.join(incident.owners) or 'unknown'}",
        f"- **recovered** {incident.recovered or 'not yet'}",
        f"- **suspect** {suspected(msgspec.to_builtins(incident.suspect))}",
        "",
        "## Features",
        "",
        *(f"- `{name}`: {BY_NAME[name].definition}" for name in incident.features),
        *([] if incident.features else ["- none: one path has rows that the other lacks"]),
        "",
        "## Listeners hit more than others",
        "",
        *(f"- {s.dimension} {s.value}: {s.share:.0%} of {s.listeners}" for s in incident.segments),
        *([] if incident.segments else ["- no group stands out"]),
        *([f"- most of it: {sliced(msgspec.to_builtins(incident.slice))}"] if incident.slice else []),
        "",
        "## Damage",
        "",
        *(f"- {name.replace('_', ' ')}: {value:.4g}" for name, value in incident.damage.items() if value is not None),
    ]
    return "\n".join(lines) + "\n"


def sliced(group: Mapping[str, Any]) -> str:
    """Say which group explains most of what differs, from the document of a ``Slice``."""
    where = " and ".join(f"{dimension} {value}" for dimension, value in group["where"].items())
    return f"{where}: {group['share']:.0%} of all who are hit, {group['hit_rate']:.0%} of its {group['listeners']} listeners"


def suspected(suspect: Mapping[str, Any]) -> str:
    """Say in one line who did it, from the document of a ``Suspect``."""
    explained = f"{suspect['explained'] or 0:.1%} of the rows that differ"
    if suspect["skew"] is None:
        nearest = f" (the nearest, {suspect['runner_up']}, explains {explained})" if suspect["runner_up"] else ""
        return f"no hypothesis of the catalogue explains this{nearest}"
    what = " ".join(filter(None, (suspect["skew"], f"({suspect['parameter']})" if suspect["parameter"] else "")))
    behind = f"; next comes {suspect['runner_up']}" if suspect["runner_up"] else ""
    return f"{what} explains {explained}{behind}"
