"""Skews as people read them: the catalogue by what sees a skew, and one of them as a case file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table

from contract.hooks import overridden
from contract.skew import Evidence, Side, Skew
from lab.skews import SIGHTS
from lab.words import listed as joined
from lab.words import percent

SIGNATURES = {
    "operations": "Operations see it: what most teams watch is enough",
    "distribution": "Distributions move: the values look different as a whole",
    "rows": "Rows alone tell it: each must be held against the same row of the other path",
    "training": "Training alone tells it: it is in the rows that the ranker learnt from",
    "control": "Controls: nothing should alarm",
}
"""What gives a skew away, by the first suite that sees it."""

PATHS: dict[Side, str] = {"streaming": "the live path", "batch": "the batch path", "world": "the world, which both paths see"}
PLACES = {
    "holds": "when its steps are taken",
    "transport": "how records reach it",
    "event": "the events that it counts",
    "settings": "the numbers in its definitions",
    "state": "what it remembers of listeners",
    "clock": "the instant that it answers for",
    "features": "the values that it has computed",
    "serves": "who gets an answer at all",
    "keys": "the names under which it stores rows",
    "batch_settings": "the numbers in its definitions",
    "batch_events": "the events that it reads",
    "batch_features": "the rows that it has computed",
    "batch_training": "the instants that the ranker's training rows are of",
    "world": "what listeners do",
}
"""Where a hook sits, in words."""
GRADES: dict[Evidence, str] = {
    "A": "told at first hand, by a vendor, a team, an issue or a paper",
    "B": "told at second hand",
    "C": "common knowledge among engineers; no published case is known",
}

SHORT = 12
"""So many values are told one by one."""


def signature(skew: type[Skew]) -> str:
    """Return what gives a skew away, a key of ``SIGNATURES``."""
    first = next((suite for suite in SIGHTS if suite in skew.seen_by), "control")
    return "rows" if first in {"parity", "ranking"} else first


def listed(skews: Sequence[type[Skew]]) -> tuple[dict[str, Any], list[str]]:
    """Return a list of skews for scripts, and for people in lines, by their signatures."""
    lines: list[str] = []
    width = max(len(skew.id) for skew in skews)
    for name, heading in SIGNATURES.items():
        mine = [skew for skew in skews if signature(skew) == name]
        if mine:
            lines += ["", *_drawn(heading), *_drawn(_grid([[f"  {s.id:<{width}}", s.side, s.group, s.title] for s in mine]))]
    return {"skews": [_entry(skew) for skew in skews]}, lines[1:]


def case_file(skew: type[Skew]) -> tuple[dict[str, Any], list[str]]:
    """Return all that is known of a skew for scripts, and for people in lines."""
    facts = {
        **_entry(skew),
        "story": skew.story,
        "hooks": overridden(skew),
        "parameter": skew.parameter,
        "value_name": skew.value_name,
        "unit": skew.unit,
        "harmless": skew.harmless,
        "worst": skew.worst,
        "tries": list(skew.tries),
        "spread": skew.spread,
        "moves": list(skew.moves),
        "fix": skew.fix,
        "sources": list(skew.sources),
    }
    places = joined(list(dict.fromkeys(PLACES[hook] for hook in overridden(skew))))
    told = {
        "Story": skew.story,
        "Planted": f"in {PATHS[skew.side]}: {places}",
        "Moves": ", ".join(skew.moves) or ("" if skew.origin else _moves_none(skew)),
        "Seen by": _sights(skew),
        "Knob": "\n".join(_knob(skew)),
        "Evidence": "" if skew.origin else GRADES[skew.evidence],
        "Sources": "\n".join(skew.sources),
        "Fix": skew.fix,
    }
    body = _grid([[name, text] for name, text in told.items() if text])
    return facts, [*_drawn(" · ".join(part for part in (skew.id, skew.title) if part)), "", *_drawn(body)]


def _entry(skew: type[Skew]) -> dict[str, Any]:
    return {
        "id": skew.id,
        "side": skew.side,
        "title": skew.title,
        "group": skew.group,
        "signature": signature(skew),
        "seen_by": list(skew.seen_by),
        "evidence": skew.evidence,
    }


def _moves_none(skew: type[Skew]) -> str:
    return "no feature of a row: there are rows too few, or too many" if "parity" in skew.seen_by else "no feature of a row"


def _sights(skew: type[Skew]) -> str:
    blind = [suite for suite in SIGHTS[:-1] if suite not in skew.seen_by]
    if not skew.seen_by:
        return "no suite, and none should"
    return joined(list(skew.seen_by)) + (f"; not by {', '.join(blind)}" if blind else "")


def _knob(skew: type[Skew]) -> list[str]:
    """Say what severity does, in the skew's own unit, whom it hits and what the monitor tries."""
    lines = [f"severity, 0 to 1{f': {skew.parameter}' if skew.parameter else ''}"]
    if skew.value_name:
        low, high = (f"{value:g} {skew.unit}".rstrip() for value in (skew.harmless, skew.worst))
        lines.append(f"{skew.value_name}: {low} at severity 0, {high} at severity 1")
    if skew.spread < 1:
        lines.append(f"hits {percent(skew.spread)} of the listeners at severity 1, picked by chance")
    if skew.tries and "parity" in skew.seen_by:
        tried = [f"{value:g}" for value in skew.tries]
        told = ", ".join(tried) if len(tried) <= SHORT else f"{len(tried)} values from {tried[0]} to {tried[-1]}"
        lines.append(f"as an explanation tried with {told} {skew.unit}".rstrip())
    return lines


def _grid(rows: Sequence[Sequence[str]]) -> Table:
    """Put texts in columns; the last one takes what room is left and is wrapped."""
    table = Table.grid(padding=(0, 2), expand=True)
    for _ in rows[0][:-1]:
        table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _drawn(what: RenderableType) -> list[str]:
    """Draw something as wide as the terminal is, or 80 columns where there is none."""
    out = io.StringIO()
    Console(file=out, width=Console().width, color_system=None, markup=False, highlight=False).print(what)
    return [line.rstrip() for line in out.getvalue().splitlines()]
