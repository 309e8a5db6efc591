"""The commands below ``skewlab import``: listening data of one's own, audited and brought into a log folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contract.errors import UsageError
from contract.settings import load_settings
from lab.told import HomeFlag, JsonFlag, told

if TYPE_CHECKING:
    from lab.importers.taken import Taken

import_app = typer.Typer(help="Bring listening data of your own.", rich_markup_mode=None)

OutFlag = Annotated[Path | None, typer.Option("--out", help="A new folder; with --audit it may be left out: nothing is written.")]
AuditFlag = Annotated[
    bool, typer.Option("--audit", help="Tell what is kept, what is dropped, and what the kept part gives away.")
]
ListenerFlag = Annotated[str, typer.Option("--listener", help="The name in the log; the account's own name is dropped.")]
ExportArgument = Annotated[Path, typer.Argument(help="The export as it came: its zip, its folder or one of its files.")]


@import_app.command("spotify")
def import_spotify(
    path: ExportArgument,
    out: OutFlag = None,
    audit: AuditFlag = False,
    listener: ListenerFlag = "me",
    home: HomeFlag = None,
    json: JsonFlag = False,
) -> None:
    """Bring Spotify's own export, the extended streaming history or the basic one, into a log folder."""
    from lab.importers.spotify import take_spotify

    _bring(lambda: take_spotify(path, listener), out, home, audit=audit, json=json)


@import_app.command("listenbrainz")
def import_listenbrainz(
    path: ExportArgument,
    out: OutFlag = None,
    audit: AuditFlag = False,
    listener: ListenerFlag = "me",
    home: HomeFlag = None,
    json: JsonFlag = False,
) -> None:
    """Bring ListenBrainz's own export into a log folder."""
    from lab.importers.listenbrainz import take_listenbrainz

    _bring(lambda: take_listenbrainz(path, listener), out, home, audit=audit, json=json)


@import_app.command("csv")
def import_csv(
    path: Annotated[Path, typer.Argument(help="The folder of the files that the mapping names.")],
    mapping: Annotated[Path, typer.Option("--mapping", help="What the columns mean; see docs/import.md.")],
    out: OutFlag = None,
    audit: AuditFlag = False,
    home: HomeFlag = None,
    json: JsonFlag = False,
) -> None:
    """Bring CSV or Parquet files, described by a mapping, into a log folder."""
    from lab.importers.table import take_tables

    _bring(lambda: take_tables(path, mapping), out, home, audit=audit, json=json)


def _bring(take: Callable[[], Taken], out: Path | None, home: Path | None, *, audit: bool, json: bool) -> None:
    """Read, audit where asked, write where told: a folder that is there already is refused before anything is read."""
    from lab.importers.audit import audit_of

    load_settings(home=home)
    if out is None and not audit:
        raise UsageError("There is no folder to write to", "", "Name a new one with --out, or only look with --audit")
    if out is not None and out.exists():
        raise UsageError(f"{out} is there already", "", "Name a new folder")
    taken = take()
    report, seen = taken.report, audit_of(taken) if audit else None
    if out is not None:
        taken.write(out)
    if seen is None:
        told(json, report.document(), report.lines())
    else:
        told(json, {"report": report.document(), "audit": seen.document()}, [*seen.lines(), *report.lines()])
