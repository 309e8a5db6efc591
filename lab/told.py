"""What the commands share: the flags that all of them have, and how a command tells what it did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

HomeFlag = Annotated[Path | None, typer.Option("--home", help="Where everything is kept; .skewlab, or SKEWLAB_HOME.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, all else on standard error.")]


def told(json: bool, document: dict[str, Any], lines: list[str]) -> None:
    """Print the document or the lines on standard output."""
    if json:
        print(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())
    else:
        print("\n".join(lines))
