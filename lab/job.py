"""The batch job of a home, on the one Spark session of this process; and a night of it, as a command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from batch.failures import spark_failures
from batch.hadoop import lake_at
from batch.listens import Job
from batch.night import run_night
from batch.session import open_session, said_in, submitted
from contract.lake import Lake
from contract.settings import Settings
from contract.skew import Skew
from contract.versions import Version
from lab.machine.java import use_java
from lab.service import InService, put_in_service

_SCHEME = re.compile(r"[A-Za-z][\w+.-]*:")


def open_job(settings: Settings, skews: Sequence[Skew] = (), lake: str | None = None, *, brief: bool = False) -> Job:
    """Start Spark and put the job together; only skews of the batch side act.

    ``lake`` is where the lake lies: a folder, or a Hadoop path with its scheme. Without it, it is the home's own. A ``brief`` job
    is one of minutes, over few events.

    Raises:
        UsageError: there is no such lake, or no such kind of master.
        InfrastructureError: there is no usable Java, Spark did not start, or the lake cannot be read.
    """
    local = local_lake(settings, lake)
    if not submitted():
        use_java()
    master = None if submitted() and not settings.given("spark_master") else settings.spark_master
    spark = open_session(settings.places.spark_log, master, settings.spark_memory, settings.spark_host, brief=brief)
    here = str(spark.sparkContext.master).startswith("local")  # executors elsewhere would write tiles to their own disks
    tiles = settings.places.tiles if here else None
    return Job(spark, local or lake_at(spark, lake or ""), tuple(skew for skew in skews if skew.side == "batch"), tiles)


def local_lake(settings: Settings, lake: str | None) -> Lake | None:
    """Return the lake where it is a folder of this machine's file system, and None where only Hadoop can read it."""
    if lake is None:
        return Lake(settings.places.lake)
    return None if _SCHEME.match(lake) else Lake(Path(lake).expanduser().resolve())


def publish_night(settings: Settings, as_of_ms: int) -> tuple[Version, InService]:
    """Run the night at an instant over the lake of the settings, publish its version in the home and bring it into service.

    Raises:
        CannotJudge: the lake has not reached the instant.
        SkewlabError: as ``open_job`` and ``run_night`` do; and where Spark gives up meanwhile.
    """
    home = settings.places
    local = local_lake(settings, settings.lake)
    if local is not None:
        local.cut(as_of_ms)  # whether there is anything to do, before Spark starts
    with spark_failures(said_in(home.spark_log)):
        version = run_night(open_job(settings, lake=settings.lake), home, as_of_ms)
    return version, put_in_service(settings, version.name, "night")
