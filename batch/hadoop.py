"""A lake at any path that Spark's Hadoop reads: ``hdfs://``, ``s3a://``, ``viewfs://`` and others."""

from __future__ import annotations

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import SparkSession

from batch.failures import cause
from contract.errors import InfrastructureError, UsageError
from contract.lake import SETTLED, Lake


class HadoopFiles:
    """The log of a lake as it was at one moment: read whole, by one job of Spark's own reader of files.

    So whatever a night reads besides events is of one moment, and nothing is needed here that Spark does not need anyway.

    Raises:
        UsageError: there is no lake at the address.
        InfrastructureError: it cannot be read.
    """

    def __init__(self, spark: SparkSession, address: str) -> None:
        self.root = address.rstrip("/")
        self._content = {_below(path): content for path, content in _read(spark, self.root)}

    def names(self, folder: str) -> list[str]:
        """Return the names of a folder's ``*.json`` files in order; none where it is not there."""
        parts = [path.rpartition("/") for path in self._content]
        return sorted(name for place, _, name in parts if place == folder)

    def read(self, path: str) -> bytes | None:
        """Return what a file holds, or None where it is not there."""
        return self._content.get(path)


def lake_at(spark: SparkSession, address: str) -> Lake:
    """Return the lake at a Hadoop path, with its scheme, as it is now.

    Raises:
        UsageError: there is no lake at the address.
        InfrastructureError: it cannot be read.
    """
    return Lake(HadoopFiles(spark, address))


def _read(spark: SparkSession, root: str) -> list[tuple[str, bytes]]:
    reader = spark.read.format("binaryFile").option("recursiveFileLookup", "true").option("pathGlobFilter", "*.json")
    try:
        found = reader.load([f"{root}/{SETTLED}", f"{root}/log"]).select("path", "content").toArrow()
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise _unread(root, error) from error
        raise UsageError(f"There is no lake at {root}", cause(error), "Name the folder that holds lake.json") from error
    except (PySparkException, Py4JError) as error:
        raise _unread(root, error) from error
    return list(zip(found.column("path").to_pylist(), found.column("content").to_pylist(), strict=True))


def _below(path: str) -> str:
    """Return a path below the lake's root: by its end, since file systems write what stands before it in their own ways."""
    *_, folder, name = path.split("/")
    return name if name == SETTLED else f"log/{folder}/{name}"


def _unread(root: str, error: Exception) -> InfrastructureError:
    todo = "Check the address, the settings of its file system, and who may read there"
    return InfrastructureError(f"The lake {root} cannot be read", cause(error), todo)
