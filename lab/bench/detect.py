"""``skewlab bench detect``: every skew at some severities in some worlds, and what each monitor says of it, night by night.

No broker: both paths' own feature code over one log in one process (``lab.detect``). For each seed:

1. a clean world is lived through once; without a skew all its nights are clean nights;
2. each skew acts from the same day on; the monitors look at the nights from there on, the lab knows which first differs;
3. the controls (drift, shock, corruption of both paths, lag) are clean nights too: both paths see the same;
4. Evidently, NannyML, a null-and-range suite and an exact mismatch rate look at the same rows.

A seed is a process of its own, as many at a time as there are cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree

import pyarrow as pa

from contract.settings import Settings
from contract.skew import Skew
from contract.windows import iso_date
from lab.bench.detect_frames import Case, Found, ask_peers, write_case, write_reference
from lab.bench.detect_plain import null_and_range
from lab.bench.detect_trials import Trial, ask_for_suspects, ask_for_truth, tried
from lab.bench.own_env import own_python
from lab.bench.report import cores
from lab.detect.nights import Replayer
from lab.detect.recorded import Recorded, record
from lab.job import open_job
from lab.machine.kafka import cache_folder
from lab.skews import catalogue
from lab.source import WorldSource
from lab.world import World
from monitoring.checks import Checks
from monitoring.night import Night

Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much is tried. Skews begin on day ``onset`` and act for ``nights`` nights; ``reference`` clean ones are before.

    At severity 1 all monitors look at all seeds; other severities are tried with the first ``mild_seeds``. ``control_nights`` are
    looked at in each world with a control. ``skews`` None takes the whole catalogue.
    """

    seeds: Sequence[int]
    users: int
    onset: int
    nights: int
    reference: int
    control_nights: int
    severities: Sequence[float]
    mild_seeds: int
    peers: bool
    claim: bool
    skews: Sequence[str] | None = None


FULL = Size((1, 2, 3, 4, 5), 500, 4, 3, 8, 10, (1.0, 0.3), 2, peers=True, claim=True)
SMALL = Size(
    (1,), 120, 1, 2, 2, 2, (1.0,), 0, peers=False, claim=False,
    skews=("utc-day-boundary", "podcast-resume", "window-edge", "key-mismatch", "gradual-drift", "benign-lag"),
)  # fmt: skip


def bench_detect(settings: Settings, size: Size, say: Say) -> list[Trial]:
    """Try everything, in homes of their own below the settings' home; return what came of it.

    ``say`` is called in the processes of the seeds: a function of a module, no lambda.
    """
    folder = settings.places.root / "bench-detect"
    rmtree(folder, ignore_errors=True)
    python = own_python("peers", "The monitors of others", cache_folder()) if size.peers else None
    worlds = [_World(settings, size, seed, folder / f"seed-{seed}", say, python) for seed in size.seeds]
    with ProcessPoolExecutor(min(cores(), len(worlds)), get_context("spawn")) as processes:
        trials = [trial for some in processes.map(_World.tried, worlds) for trial in some]
    rmtree(folder, ignore_errors=True)
    return trials


@dataclass(frozen=True)
class _World:
    """All that is tried with a seed."""

    settings: Settings
    size: Size
    seed: int
    folder: Path
    say: Say
    peers: Path | None

    def tried(self) -> list[Trial]:
        """Try everything in the worlds of the seed; the monitors of others look at the same nights, as files, at the end."""
        self._told("a clean world")
        size, clean = self.size, self._recorded((), "clean")
        before = [(f"{i:02d}", rows) for i, rows in enumerate(clean.before(size.onset, size.reference))]
        reference = write_reference(self.folder / "reference", before)
        trials, cases = {}, []
        for trial, nights in self._trials(clean, Replayer(clean, size.onset, size.nights)):
            trials[trial.name] = trial
            cases.append(write_case(self.folder, trial.name, reference, map(_tables, nights)))
        for found in self._others(cases):
            trials[found.case].found.append(found)
        self._told(f"the others have looked at {len(cases)} cases")
        return list(trials.values())

    def _others(self, cases: Sequence[Case]) -> Iterator[Found]:
        yield from null_and_range(cases)
        if self.peers is not None:
            yield from ask_peers(self.peers, cases, self.folder / "peers.log")

    def _trials(self, clean: Recorded, replayer: Replayer) -> Iterator[tuple[Trial, list[Night]]]:
        yield tried(replayer, (), "clean", 0, self.seed, self._checks)
        wanted = self.size.skews or tuple(catalogue())
        for name, kind in catalogue().items():
            if name not in wanted:
                continue
            if not kind.seen_by:
                yield self._control(clean, kind)
            elif "parity" in kind.seen_by:
                for severity in self._severities():
                    yield self._skewed(replayer, kind(severity, self.seed))

    @cached_property
    def _checks(self) -> Checks:
        return Checks(self.folder / "checks")

    def _severities(self) -> list[float]:
        mild = self.size.seeds.index(self.seed) < self.size.mild_seeds
        return [severity for severity in self.size.severities if severity == 1 or mild]

    def _skewed(self, replayer: Replayer, skew: Skew) -> tuple[Trial, list[Night]]:
        trial, nights = tried(replayer, (skew,), skew.id, skew.severity, self.seed, self._checks)
        ask_for_truth(trial, replayer, nights)
        ask_for_suspects(trial, replayer, nights, catalogue().values())
        first = trial.suspects[0] if trial.suspects else "nobody"
        self._told(f"{trial.name} differs from {trial.first}, alarms {len(trial.alarms('parity'))}, suspect {first}")
        return trial, nights

    def _control(self, clean: Recorded, kind: type[Skew]) -> tuple[Trial, list[Night]]:
        self._told(kind.id)
        skew = kind(1, self.seed)
        world = self._recorded((skew,), kind.id) if kind.side == "world" else clean
        lag = (skew,) if kind.side == "streaming" else ()
        nights = self.size.control_nights
        return tried(Replayer(world, 0, nights, lag), (), kind.id, 1, self.seed, self._checks)

    def _recorded(self, changes: Sequence[Skew], name: str) -> Recorded:
        """Live through a world; a control that changes it begins on its first day."""
        size = self.size
        settings = self.settings.model_copy(update={"home": self.folder / f"home-{name}"})
        days = size.control_nights if changes else max(size.onset + size.nights, size.control_nights)
        world = World(self.seed, size.users, changes=[(0, change) for change in changes])
        job = open_job(settings)
        return record(job, settings.places, WorldSource(world, days), settings, self.seed)

    def _told(self, line: str) -> None:
        self.say(f"seed {self.seed}: {line}")


def _tables(night: Night) -> tuple[str, pa.Table, pa.Table]:
    return iso_date(night.as_of_ms), night.batch, night.live
