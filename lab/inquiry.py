"""What is found out about an incident once it is there: who did it, what it cost where nobody knows the truth; who is told."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec

from batch.listens import Job
from contract.home import Home
from contract.settings import Settings
from contract.versions import Versions
from contract.windows import iso_date, parse_instant
from lab.skews import catalogue
from monitoring.alerts import alert, write_gauges
from monitoring.damage import Replayed, replayed, split
from monitoring.evidence import evidence_of
from monitoring.incident import Incident
from monitoring.suspect import find_suspect
from monitoring.verdict import Verdict


def inquired(job: Job, home: Home, found: Sequence[Incident], nights: Sequence[int], step_events: int) -> list[Incident]:
    """Return incidents with their suspects, and with what the offline replay of some nights' requests tells.

    ``job`` is the batch path without any skew; ``step_events`` is where the live path's steps ended.
    """
    if not found:
        return []
    catalogue_of_items = Versions(home.versions).get(iso_date(max(nights))).catalogue
    replays = replayed(home, job.lake, catalogue_of_items, nights)
    return [_inquired(job, home, incident, replays, step_events) for incident in found]


def _inquired(job: Job, home: Home, incident: Incident, replays: Sequence[Replayed], step_events: int) -> Incident:
    onset_ms, last_ms = parse_instant(incident.onset), parse_instant(incident.last_seen)
    suspect = find_suspect(evidence_of(job, home, onset_ms, last_ms, step_events), list(catalogue().values()))
    damage = {**incident.damage, **split(replays, onset_ms, last_ms)}
    return msgspec.structs.replace(incident, suspect=suspect, damage=damage)


def tell(settings: Settings, verdicts: Sequence[Verdict], found: Sequence[Incident]) -> None:
    """Tell a webhook, if one is set, and bring the gauges up to date."""
    alert(settings.places, found, settings.webhook, lambda line: print(line, file=sys.stderr, flush=True))
    write_gauges(settings.places, verdicts, found)
