"""The batch job of a home, on the one Spark session of this process."""

from __future__ import annotations

from collections.abc import Sequence

from batch.listens import Job
from batch.session import open_session
from contract.lake import Lake
from contract.settings import Settings
from contract.skew import Skew
from lab.machine.java import use_java


def open_job(settings: Settings, skews: Sequence[Skew] = ()) -> Job:
    """Find a Java, start Spark, and put the job together; only skews of the batch side act.

    Raises:
        InfrastructureError: there is no usable Java, or Spark did not start.
    """
    use_java()
    home = settings.places
    spark = open_session(home.spark_log, settings.spark_master, settings.spark_memory)
    return Job(spark, Lake(home.lake), tuple(skew for skew in skews if skew.side == "batch"))
