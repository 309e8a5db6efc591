"""What is served and to whom: published versions, the way back to one, a listener's settings, what is recommended."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from contract.settings import load_settings
from lab.told import HomeFlag, JsonFlag, told

versions_app = typer.Typer(rich_markup_mode=None)

Switch = Literal["on", "off"]
StackFlag = Annotated[str | None, typer.Option("--stack", help="embedded, external or compose.")]
UserArgument = Annotated[str, typer.Argument(metavar="USER", help="A listener's name.")]
PersonalFlag = Annotated[Switch | None, typer.Option("--personalisation", help="off: only what is popular is recommended.")]
PrivacyFlag = Annotated[
    Switch | None, typer.Option("--privacy-first", help="on: nothing but the current session is used, and nobody learns from it.")
]
ExploreFlag = Annotated[Switch | None, typer.Option("--explore", help="on: more of what is new to the listener.")]


@versions_app.command("versions")
def versions(home: HomeFlag = None, json: JsonFlag = False) -> None:
    """List the published versions; a star marks the one in service."""
    from contract.versions import Versions
    from lab.listing import listed

    told(json, *listed(Versions(load_settings(home=home).places.versions)))


@versions_app.command("rollback")
def rollback(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A published version; see 'skewlab versions'.")],
    home: HomeFlag = None,
    stack: StackFlag = None,
    json: JsonFlag = False,
) -> None:
    """Bring a published version back into service."""
    from lab.service import put_in_service

    done = put_in_service(load_settings(home=home, stack=stack), version, "rollback")
    told(json, done.document(), done.lines())


@versions_app.command("listener")
def listener(
    user: UserArgument,
    personalisation: PersonalFlag = None,
    privacy_first: PrivacyFlag = None,
    explore: ExploreFlag = None,
    home: HomeFlag = None,
    json: JsonFlag = False,
) -> None:
    """Show a listener's settings, or change some of them."""
    from lab.listener import settle

    wishes = {"personalisation": personalisation, "privacy_first": privacy_first, "explore": explore}
    changes = {name: wish == "on" for name, wish in wishes.items() if wish is not None}
    told(json, *settle(load_settings(home=home).places, user, changes))


@versions_app.command("recommend")
def recommend(
    user: UserArgument,
    source: Annotated[
        Literal["batch", "live"], typer.Option("--from", help="batch: what the night published; live: shows, by the live path.")
    ] = "batch",
    shelf: Annotated[str | None, typer.Option("--shelf", help="One shelf; else 'for-you'. 'all' for every shelf.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Tell why, item by item.")] = False,
    stack: StackFlag = None,
    home: HomeFlag = None,
    json: JsonFlag = False,
) -> None:
    """Tell what is recommended to a listener, and why."""
    from lab.recommend import recommend as work_out

    told(json, *work_out(load_settings(home=home, stack=stack), user, source, shelf, explain=explain))
