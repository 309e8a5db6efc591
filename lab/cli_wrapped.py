"""``skewlab wrapped``: a year in review of one listener, or of one member of any loyalty data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contract.settings import load_settings
from lab.told import HomeFlag, JsonFlag, told

wrapped_app = typer.Typer(rich_markup_mode=None)

NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[USER] [CSV]", help="Whose year, else who has the most; with --mapping the table.")
]
LogFlag = Annotated[Path | None, typer.Option("--log", help="A log folder, or a class's folder; else the home's lake.")]
ClassFlag = Annotated[bool, typer.Option("--classroom", help="The built-in class.")]
MappingFlag = Annotated[Path | None, typer.Option("--mapping", help="What a table's columns mean; see docs/wrapped.md.")]
CardFlag = Annotated[Path | None, typer.Option("--card", help="Draw a card of 1080 x 1920: FILE.svg or FILE.png.")]
YearFlag = Annotated[int | None, typer.Option("--year", help="One calendar year; else all that the data hold.")]


@wrapped_app.command("wrapped")
def wrapped(
    names: NamesArgument = None,
    log: LogFlag = None,
    classroom: ClassFlag = False,
    mapping: MappingFlag = None,
    card: CardFlag = None,
    year: YearFlag = None,
    home: HomeFlag = None,
    json: JsonFlag = False,
) -> None:
    """Tell one listener's year from the very data that make the recommendations."""
    from lab.wrapped.command import Wanted
    from lab.wrapped.command import wrapped as work_out

    places = load_settings(home=home).places
    told(json, *work_out(Wanted(names or (), places, log, classroom, mapping, year, card)))
