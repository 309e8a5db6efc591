"""The command line: arguments in, one document or some lines out, an exit code. What is done is done elsewhere."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from contract.errors import SkewlabError
from contract.settings import Settings, load_settings
from contract.windows import parse_instant
from lab.cli_bench import bench_app
from lab.cli_import import import_app
from lab.cli_skews import live_skews_app, skews_app
from lab.cli_versions import versions_app
from lab.cli_wrapped import wrapped_app
from lab.told import HomeFlag, JsonFlag
from lab.told import told as _told

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
stack_app = typer.Typer(help="Keep Kafka and Redis running.", rich_markup_mode=None)
app.add_typer(skews_app, name="skews")
app.add_typer(import_app, name="import")
app.add_typer(bench_app, name="bench")
app.add_typer(versions_app)
app.add_typer(wrapped_app)
app.add_typer(live_skews_app)
app.add_typer(stack_app, name="stack")

StackFlag = Annotated[str | None, typer.Option("--stack", help="embedded, external, compose or replay.")]
SkewFlag = Annotated[
    list[str] | None, typer.Option("--skew", help="ID[:severity][@DAY[-DAY]] or FILE.py in its place; repeat it.")
]
DaysFlag = Annotated[int | None, typer.Option("--days", help="How many days to run.")]
UsersFlag = Annotated[int | None, typer.Option("--users", help="How many listeners the world has.")]
SeedFlag = Annotated[int | None, typer.Option("--seed", help="The same seed gives the same numbers.")]
AsOfFlag = Annotated[str, typer.Option("--as-of", help="The night's midnight: 2026-01-08.")]

INTERRUPTED = 130
"""128 and the number of SIGINT: what shells expect, and what Typer returns for it."""


@app.command()
def demo(home: HomeFlag = None, json: JsonFlag = False, seed: SeedFlag = None) -> None:
    """Run the podcast failure, end to end, and write report.html."""
    from lab.demo import run_demo

    settings = load_settings(home=home)
    outcome, story, page = run_demo(settings, seed)
    _told(json, outcome.document(), [*story.lines, "", f"The whole story: {page}"])
    sys.exit(0 if story.as_told else 1)


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="A scenario file; see examples/.")],
    home: HomeFlag = None,
    json: JsonFlag = False,
    skew: SkewFlag = None,
    stack: StackFlag = None,
    days: DaysFlag = None,
    users: UsersFlag = None,
    seed: SeedFlag = None,
) -> None:
    """Run a scenario; end as its last night does: 0 good, 1 skew, 2 could not judge."""
    from lab.demo import run_file

    flags: dict[str, Any] = {"days": days, "users": users, "seed": seed, "skews": tuple(skew) if skew else None}
    outcome, page = run_file(scenario, load_settings(home=home, stack=stack), flags)
    _told(json, outcome.document(), [f"Incidents: {len(outcome.incidents)}. The report: {page}"])
    sys.exit(outcome.exit_code)


@app.command()
def simulate(
    users: Annotated[int, typer.Option("--users", min=1)],
    days: Annotated[int, typer.Option("--days", min=1)],
    out: Annotated[Path, typer.Option("--out", help="A new folder.")],
    seed: Annotated[int, typer.Option("--seed")] = 7,
    home: HomeFlag = None,
    json: JsonFlag = False,
) -> None:
    """Write a simulated world's catalogue and events as a folder of Parquet files."""
    from lab.folder import write_log
    from lab.world import World

    load_settings(home=home)
    world = World(seed, users, history_days=0)
    rows = write_log(out, world.catalogue, (world.received(day) for day in range(days)))
    _told(json, {"out": str(out), "events": rows}, [f"{rows} events of {users} listeners in {out}"])


@app.command()
def classroom(
    folder: Annotated[Path | None, typer.Argument(help="With engagement.csv and songs.csv; else the built-in class.")] = None,
    ratings: Annotated[Path | None, typer.Option("--ratings", help="A matrix: a line a listener, a column an item.")] = None,
    scale: Annotated[float, typer.Option("--scale", min=0.1, max=1_000_000, help="The best rating; 0 is 'not rated'.")] = 5.0,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 7,
    home: HomeFlag = None,
    json: JsonFlag = False,
) -> None:
    """Work out a class: profiles, neighbours and recommendations that can be checked by hand."""
    from lab.classroom.command import classroom as work_out

    load_settings(home=home)
    _told(json, *work_out(folder, ratings, scale, seed))


@app.command()
def night(
    as_of: AsOfFlag,
    home: HomeFlag = None,
    json: JsonFlag = False,
    master: Annotated[str | None, typer.Option("--master", help="Where Spark works: local[2], spark://HOST:PORT.")] = None,
    lake: Annotated[str | None, typer.Option("--lake", help="A lake elsewhere than in the home: any Hadoop path.")] = None,
) -> None:
    """Run one night over the lake and publish its version."""
    import msgspec

    from lab.job import publish_night

    version, in_service = publish_night(load_settings(home=home, spark_master=master, lake=lake), parse_instant(as_of))
    manifest = version.manifest
    document = {**msgspec.to_builtins(manifest), "in_service": in_service.document()}
    _told(json, document, [f"Version {manifest.version} of {manifest.listeners} listeners", *in_service.lines()])


@app.command()
def monitor(as_of: AsOfFlag, home: HomeFlag = None, json: JsonFlag = False) -> None:
    """Judge a night: exit 1 where parity, ranking or operations failed, 2 where it could not be judged."""
    from lab.judge import judge_night

    settings = load_settings(home=home)
    verdict, lines = judge_night(settings, parse_instant(as_of))
    _told(json, orjson.loads(verdict), lines.text)
    sys.exit(lines.exit_code)


@app.command()
def stream(
    home: HomeFlag = None,
    stack: StackFlag = None,
    members: Annotated[int, typer.Option("--members", min=1, max=64, help="How many processes share the partitions.")] = 1,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", min=1, max=65535, help="/metrics for Prometheus; a port each member.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Consume listening events live, as members of the group, until interrupted."""
    from lab.live import consume_live, until_asked_to_end
    from lab.members import consume_together

    settings = _stacked(home, stack)
    with until_asked_to_end() as stop:
        if members == 1:
            done = consume_live(settings, metrics_port, stop, _said)
        else:
            done = consume_together(settings, members, metrics_port, stop, _said)
    _told(json, {"partitions": done}, [f"partition {p}: consumed up to offset {end}" for p, end in done.items()])


@app.command()
def archive(home: HomeFlag = None, stack: StackFlag = None, json: JsonFlag = False) -> None:
    """Bring what the topics hold into the lake."""
    from lab.live import archive_now

    done = archive_now(_stacked(home, stack))
    _told(json, {"partitions": done}, [f"partition {p}: archived up to offset {end}" for p, end in done.items()])


@app.command()
def compact(
    home: HomeFlag = None,
    json: JsonFlag = False,
    before: Annotated[str | None, typer.Option("--before", help="Leave this date and those behind it: 2026-01-08.")] = None,
) -> None:
    """Make few files of the lake's many, of the dates that are over."""
    from contract.lake import LAST_DATE, Lake
    from contract.windows import iso_date
    from lab.compact import compact as compact_lake

    date = iso_date(parse_instant(before)) if before is not None else LAST_DATE
    done = compact_lake(Lake(load_settings(home=home).places.lake), date)
    _told(json, done.document(), done.lines())


@app.command()
def calibrate(
    nights: Annotated[int, typer.Option("--nights", min=1, help="The last so many nights of the home.")] = 100,
    replays: Annotated[int, typer.Option("--replays", min=1, help="How often each night is gone through again.")] = 2,
    false_alarms: Annotated[float, typer.Option("--false-alarms", min=1e-6, max=0.5, help="Borne, per night.")] = 0.01,
    home: HomeFlag = None,
    json: JsonFlag = False,
) -> None:
    """Take the monitor's limits from clean replays of this home's nights."""
    from lab.calibrate import calibrate_home

    _told(json, *calibrate_home(load_settings(home=home), nights, replays, false_alarms, _said))


@app.command()
def serve(
    home: HomeFlag = None,
    stack: StackFlag = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 8000,
    json: JsonFlag = False,
) -> None:
    """Serve listeners' features and scores on loopback, until interrupted."""
    from lab.live import serve_api

    url = f"http://127.0.0.1:{port}"
    serve_api(_stacked(home, stack), port, lambda: _told(json, {"url": url}, [f"Listening at {url}"]))


@stack_app.command("up")
def stack_up(home: HomeFlag = None, json: JsonFlag = False) -> None:
    """Start Kafka and Redis and keep them until 'stack down'."""
    from lab.stack.embedded import up

    settings = load_settings(home=home)
    found = up(settings.places.root, settings.partitions)
    _told(json, {"kafka": found.kafka, "redis": found.redis}, [f"Kafka {found.kafka}", f"Redis {found.redis}"])


@stack_app.command("down")
def stack_down(home: HomeFlag = None, json: JsonFlag = False) -> None:
    """End the kept stack."""
    from lab.stack.embedded import down

    there = down(load_settings(home=home).places.root)
    _told(json, {"ended": there}, ["Ended" if there else "No stack was kept in this home"])


@stack_app.command("status")
def stack_status(home: HomeFlag = None, json: JsonFlag = False) -> None:
    """Tell whether a stack is kept, and where."""
    from lab.stack.embedded import attached

    found = attached(load_settings(home=home).places.root)
    document = {"running": found is not None, "kafka": found.kafka if found else None, "redis": found.redis if found else None}
    _told(json, document, [f"Kafka {found.kafka}, Redis {found.redis}" if found else "No stack is kept in this home"])


@app.command()
def doctor(home: HomeFlag = None, json: JsonFlag = False) -> None:
    """Check what this machine has, and say what each lack costs."""
    from lab.doctor import examine, lines_of

    found = examine(load_settings(home=home).places.root)
    _told(json, {"checks": [vars(check) for check in found]}, lines_of(found))
    sys.exit(0 if all(check.good or not check.needed for check in found) else 2)


def _line_of(error: typer.TyperException) -> str:
    """Say in one line what is wrong with a call, and where its help is."""
    told = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    called = (
        " ".join(["skewlab", *context.command_path.split("lab.cli")[-1].removeprefix("skewlab").split()])
        if context
        else "skewlab"
    )
    return f"{' '.join(told.split()).rstrip('.')}. See '{called} --help'."


def main() -> None:
    """Run the command line; end with its exit code."""
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code:
            sys.exit(code)
    except SkewlabError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except typer.TyperException as error:
        print(_line_of(error), file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # whoever read it has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception:  # a fault of Skewlab's own: told whole, and never to be taken for a verdict
        traceback.print_exc()
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        print("Interrupted.", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _said(line: str) -> None:
    """Say what happens meanwhile, beside the document."""
    print(line, file=sys.stderr, flush=True)


def _stacked(home: Path | None, stack: str | None) -> Settings:
    return load_settings(home=home, stack=stack)


if __name__ == "__main__":
    main()
