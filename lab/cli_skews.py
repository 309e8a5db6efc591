"""The catalogue of skews, and skews on a live path: what there is, what one is about, beginning and ending them."""

from __future__ import annotations

from typing import Annotated

import typer

from contract.settings import load_settings
from lab.told import HomeFlag, JsonFlag, told

skews_app = typer.Typer(help="The catalogue of skews.", rich_markup_mode=None)
live_skews_app = typer.Typer(rich_markup_mode=None)

StackFlag = Annotated[str | None, typer.Option("--stack", help="embedded, external or compose.")]
RebuildFlag = Annotated[bool, typer.Option("--rebuild/--no-rebuild", help="Make the state again, or let the damage linger.")]


@skews_app.command("list")
def skews_list(home: HomeFlag = None, json: JsonFlag = False) -> None:
    """List the catalogue, by what sees a skew."""
    from lab.case_file import listed
    from lab.skews import catalogue

    load_settings(home=home)
    told(json, *listed(list(catalogue().values())))


@skews_app.command("show")
def skews_show(
    name: Annotated[str, typer.Argument(help="An id, or a Python file.")], home: HomeFlag = None, json: JsonFlag = False
) -> None:
    """Tell all about a skew."""
    from lab.case_file import case_file
    from lab.skews import find

    load_settings(home=home)
    told(json, *case_file(find(name)))


@live_skews_app.command("inject")
def inject(
    skew: Annotated[str, typer.Argument(metavar="SKEW", help="ID[:severity] or FILE.py[:severity].")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="What its chance depends on.")] = 7,
    home: HomeFlag = None,
    stack: StackFlag = None,
    json: JsonFlag = False,
) -> None:
    """Let a skew act on a running live path, from the present end of the log on."""
    from lab.inject import inject as begin
    from lab.skews import Request

    done = begin(load_settings(home=home, stack=stack), Request.parse(skew), seed)
    told(json, done.document(), done.lines())


@live_skews_app.command("heal")
def heal(rebuild: RebuildFlag = True, home: HomeFlag = None, stack: StackFlag = None, json: JsonFlag = False) -> None:
    """End all skews that act on a live path, and make its state again as if they had never acted."""
    from lab.heal import heal as end

    done = end(load_settings(home=home, stack=stack), rebuild=rebuild)
    told(json, done.document(), done.lines())
