"""The list of published versions: which is in service, and what each is made of."""

from __future__ import annotations

from typing import Any

import msgspec

from contract.versions import Manifest, Versions
from contract.windows import iso_date

HEAD = ("version", "listeners", "ranker", "vectors of", "computed with")


def listed(place: Versions) -> tuple[dict[str, Any], list[str]]:
    """Return the list for scripts and for people, oldest first."""
    current, manifests = place.current, [place.get(name).manifest for name in place.names()]
    document = {"current": current, "versions": [msgspec.to_builtins(manifest) for manifest in manifests]}
    if not manifests:
        return document, ["No version is published yet"]
    rows = [HEAD, *map(_row, manifests)]
    marks = [" ", *("*" if manifest.version == current else " " for manifest in manifests)]
    return document, [f"{mark} {_line(row)}".rstrip() for mark, row in zip(marks, rows, strict=True)]


def _row(manifest: Manifest) -> tuple[str, ...]:
    vectors = iso_date(manifest.vectors_as_of_ms) if manifest.vectors_as_of_ms is not None else "-"
    ranker = manifest.ranker_digest[:8] if manifest.ranker_digest else "none"
    return manifest.version, str(manifest.listeners), ranker, vectors, manifest.computed_with


def _line(row: tuple[str, ...]) -> str:
    name, listeners, ranker, vectors, with_ = row
    return f"{name:<12} {listeners:>9}  {ranker:<8}  {vectors:<10}  {with_}"
