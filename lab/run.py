"""A run, day by day: collect, consume, archive, night, activate, monitor. The composition root of the lab."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from batch.listens import Job
from batch.night import run_night
from contract.home import Home
from contract.lake import Lake
from contract.records import Watermark
from contract.settings import Settings
from contract.skew import Acting
from contract.versions import Version, Versions
from lab.heal import rebuild_partition
from lab.inquiry import inquired, tell
from lab.outcome import NightOutcome, Outcome, Quality
from lab.overrides import Override, record
from lab.pipeline import Pipeline
from lab.plan import Plan
from lab.progress import Progress
from lab.quality import ndcg_of_rows, podcast_minutes
from lab.service import point_both
from lab.source import Source
from lab.stack import Stack, open_stack, require_unused
from lab.twin import Twin
from monitoring.checks import Checks
from monitoring.frames import read_rows
from monitoring.incident import Incident, incidents, write_incidents
from monitoring.monitor import monitor
from monitoring.night import live_rows, published
from monitoring.verdict import Verdict
from streaming.member import Member
from streaming.overrides import Overrides


@dataclass
class Run:
    """One run over an opened stack and a started Spark session."""

    plan: Plan
    home: Home
    stack: Stack
    job: Job
    checks: Checks
    progress: Progress
    settings: Settings
    _acting: list[Acting] = field(default_factory=list)
    _history: list[Acting] = field(default_factory=list)
    """What has ended, and of whose doing the state was made free."""
    _twin: Twin | None = None

    @property
    def source(self) -> Source:
        """Where the records come from."""
        return self.plan.source

    @property
    def seed(self) -> int:
        """What all chance depends on."""
        return self.plan.scenario.seed

    @property
    def partitions(self) -> int:
        """How many partitions the log has."""
        return self.settings.partitions

    def job_on(self, day: int) -> Job:
        """Return the batch job with the skews of its side that act on a day."""
        return replace(self.job, skews=tuple(planned.skew for planned in self.plan.of_side("batch") if planned.acts(day)))

    def execute(self) -> Outcome:
        """Run all days; return what came out."""
        pipeline = self._opened()
        done: list[NightOutcome] = []
        with ThreadPoolExecutor(1) as judge:  # the night before is judged while the next day is on its way
            pending: tuple[int, Future[Verdict]] | None = None
            for day in range(self.source.days):
                self._change_skews(pipeline, day)
                self._collect(pipeline, day)
                if not self.source.has_night(day):
                    continue
                as_of = self.source.midnight(day + 1)
                self.progress.stage(day, "night")
                job = self.job_on(day)
                version = run_night(job, self.home, as_of, self.seed, self.plan.scenario.ranker)
                self._activate(pipeline, version)
                if pending is not None:
                    done.append(self._finish(*pending))
                pending = day, judge.submit(monitor, job, self.home, self.checks, as_of)
            if pending is not None:
                self.progress.stage(pending[0], "monitor")
                done.append(self._finish(*pending))
        outcome = Outcome(self.plan.scenario.name, self.seed, done, self._inquired(done))
        found = [outcome.with_damage(incident) for incident in outcome.incidents]
        write_incidents(self.home, found)
        tell(self.settings, [night.verdict for night in done], found)
        return outcome

    def _inquired(self, done: Sequence[NightOutcome]) -> list[Incident]:
        """Find out who did it, and what it cost."""
        verdicts = [night.verdict for night in done]
        found = incidents(verdicts)
        if found:
            self.progress.stage(self.source.days - 1, "suspect")
        return inquired(self.job, self.home, found, [verdict.at_ms for verdict in verdicts], self.settings.step_events)

    def _opened(self) -> Pipeline:
        """Publish the catalogue, archive history, build the live state of it, run the first night on it."""
        self.progress.stage(-1, "history")
        Versions(self.home.versions).publish_initial(self.source.catalogue)
        share = self.settings.served_share
        member = Member(self.home, self.stack.store, self.partitions, self.settings.step_events, served_share=share)
        pipeline = Pipeline(self.home, self.stack.log, self.stack.store, member, self.partitions)
        history = self.source.history()
        pipeline.archive_history(history, self.source.midnight(0))
        pipeline.open()
        if self.plan.of_side("streaming"):
            self._twin = Twin(self.home, self.partitions)
        pipeline.control(Watermark(self.source.midnight(0)))
        self._consume(pipeline)
        if len(history):
            self.progress.stage(-1, "first night")
            self._activate(
                pipeline, run_night(self.job_on(-1), self.home, self.source.midnight(0), self.seed, self.plan.scenario.ranker)
            )
        return pipeline

    def _activate(self, pipeline: Pipeline, version: Version) -> None:
        versions = Versions(self.home.versions)
        if self.stack.redis:
            point_both(self.stack.redis, versions, version, self.partitions)
        else:
            versions.point_to(version.name)
        pipeline.activate(version.name)

    def _change_skews(self, pipeline: Pipeline, day: int) -> None:
        """Let skews of the live path end and begin with a day, and write down where."""
        mine = self.plan.of_side("streaming")
        end = [planned.skew for planned in mine if planned.until == day]
        begin = [planned.skew for planned in mine if planned.day == day]
        if not begin and not end:
            return
        stands = {partition: pipeline.member.position(partition) for partition in range(self.partitions)}
        acting = [replace(one, until=stands) if one.skew in end else one for one in self._acting]
        heals = bool(end) and self.plan.scenario.rebuild
        self._history += [one for one in acting if heals and one.skew in end]
        cuts = pipeline.ends()
        self._acting = [one for one in acting if one not in self._history] + [Acting(skew, cuts) for skew in begin]
        record(self.home, [*(Override.of(one, rebuilt=True) for one in self._history), *map(Override.of, self._acting)])
        pipeline.member.act(Overrides(self._acting))
        if heals:
            self._heal(pipeline, day)

    def _heal(self, pipeline: Pipeline, day: int) -> None:
        """Make the live path's state again without what has ended, and go on with it."""
        self.progress.stage(day, "heal")
        for partition in range(self.partitions):
            rebuild_partition(self.home, self.stack.store, partition, self.partitions, self._acting, self.settings.step_events)
        pipeline.take_over()

    def _collect(self, pipeline: Pipeline, day: int) -> None:
        self.progress.stage(day, "collect")
        pipeline.send(self.source.messages(day, self.partitions))
        pipeline.control(Watermark(self.source.midnight(day + 1)))
        self.progress.stage(day, "consume")
        self._consume(pipeline)

    def _consume(self, pipeline: Pipeline) -> None:
        if self._twin is None:
            pipeline.consume()
        else:
            pipeline.consume(self._twin.feed)
        pipeline.archive()

    def _finish(self, day: int, judged: Future[Verdict]) -> NightOutcome:
        night = NightOutcome(judged.result(), self._quality(day))
        self.progress.night(day, night.document())
        return night

    def _quality(self, day: int) -> Quality:
        truth = self.source.truth(day)
        if truth is None:
            return Quality({}, {})
        as_of = self.source.midnight(day + 1)
        live = ndcg_of_rows(live_rows(self.home, as_of), *truth)
        minutes = podcast_minutes(read_rows(published(self.home, as_of).rows))
        return Quality(live, ndcg_of_rows(self._twin.snapshot(as_of), *truth) if self._twin else live, minutes)


def run_scenario(plan: Plan, settings: Settings, progress: Progress, job: Future[Job]) -> Outcome:
    """Run a scenario from its beginning, in the settings' home; Spark starts meanwhile."""
    home = settings.places
    progress.stage(-1, "start")
    with open_stack(settings) as stack:
        require_unused(stack)
        _cleared(home)
        run = Run(plan, home, stack, job.result(), Checks(home.reports / "checks"), progress, settings)
        outcome = run.execute()
        progress.stage(plan.source.days - 1, "data docs")
        run.checks.build_docs()
    return outcome


def _cleared(home: Home) -> None:
    """Begin afresh: what an earlier run left in the home is removed, nothing else."""
    for folder in (home.lake, home.snapshots, home.served, home.versions, home.tiles, home.reports, home.incidents):
        shutil.rmtree(folder, ignore_errors=True)
    home.overrides.unlink(missing_ok=True)
    Lake(home.lake).folder.mkdir(parents=True, exist_ok=True)
