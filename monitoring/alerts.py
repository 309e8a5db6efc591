"""Telling people and machines: a webhook when an incident opens and when it is over, and gauges for Prometheus.

One incident is told once when it opens and once when it has recovered, however many nights it lasts and however often a night is
judged again: what was told is written down beside the incidents. A receiver that does not answer changes no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import httpx
import msgspec
from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from contract.home import Home, write_whole
from contract.windows import parse_instant
from monitoring.incident import Incident
from monitoring.suites import SUITES
from monitoring.verdict import Verdict

TIMEOUT_S = 5.0
Word = Literal["opened", "recovered"]
Say = Callable[[str], object]


def alert(home: Home, found: Sequence[Incident], url: str | None, say: Say) -> None:
    """Post what is new of some incidents to a webhook: ``{"event": "opened" | "recovered", "incident": {...}}``.

    What could not be delivered is said in one line and tried again with the next night.
    """
    if not url:
        return
    told = _told(home)
    for incident in found:
        for word in _words(incident):
            if word not in told.get(incident.onset, ()) and _post(url, word, incident, say):
                told[incident.onset] = [*told.get(incident.onset, ()), word]
                write_whole(_place(home), msgspec.json.encode(told))


def _words(incident: Incident) -> tuple[Word, ...]:
    return ("opened", "recovered") if incident.recovered else ("opened",)


def _post(url: str, word: Word, incident: Incident, say: Say) -> bool:
    document: dict[str, Any] = {"event": word, "incident": msgspec.to_builtins(incident)}
    try:
        httpx.post(url, json=document, timeout=TIMEOUT_S, follow_redirects=False).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        said = str(error).split("\n", 1)[0]
        say(f"The webhook was not told that the incident of {incident.onset[:10]} {word}: {said}. It is tried again next night.")
        return False
    return True


def _told(home: Home) -> dict[str, list[str]]:
    place = _place(home)
    return msgspec.json.decode(place.read_bytes(), type=dict[str, list[str]]) if place.exists() else {}


def _place(home: Home) -> Any:
    return home.incidents / "told.json"


def write_gauges(home: Home, verdicts: Sequence[Verdict], found: Sequence[Incident]) -> None:
    """Write the newest night as gauges into ``reports/monitor.prom``, for node_exporter's textfile collector."""
    if not verdicts:
        return
    newest = verdicts[-1]
    registry = CollectorRegistry()
    gauges = _Gauges(registry)
    gauges.set("night_timestamp_seconds", "The midnight that was judged last.", newest.at_ms / 1000)
    for suite in SUITES:
        if (outcome := getattr(newest, suite)) != "unjudged":
            gauges.set("suite_passed", "1 where the suite passed, 0 where it failed.", float(outcome == "pass"), suite=suite)
    for name, told in newest.features.items():
        gauges.set("beyond_tolerance_ratio", "Share of requests beyond tolerance.", told.get("beyond"), feature=name)
        gauges.set("exact_ratio", "Share of requests that agree exactly.", told.get("exact"), feature=name)
    for name, value in newest.rankings.items():
        gauges.set(f"ranking_{name}", "How far rankings agree; see docs/detection.md.", value)
    gauges.set("affected_listeners", "Listeners with a feature beyond tolerance.", float(len(newest.affected)))
    open_ones = [incident for incident in found if not incident.recovered]
    gauges.set("incidents_open", "Incidents that have not recovered.", float(len(open_ones)))
    if open_ones:
        onset = min(parse_instant(incident.onset) for incident in open_ones) / 1000
        gauges.set("incident_onset_timestamp_seconds", "The first night that differs, of the oldest open incident.", onset)
    home.reports.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(home.reports / "monitor.prom"), registry)


class _Gauges:
    """Gauges that are made when they are first set; what is not known is not told."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._made: dict[str, Gauge] = {}

    def set(self, name: str, text: str, value: float | None, **labels: str) -> None:
        if value is None:
            return
        if name not in self._made:
            self._made[name] = Gauge(f"skewlab_monitor_{name}", text, list(labels), registry=self._registry)
        gauge = self._made[name]
        (gauge.labels(**labels) if labels else gauge).set(value)
