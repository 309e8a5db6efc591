"""The archiver as a process: ``skewlab archive``, run again and again beside the members."""

from __future__ import annotations

from contract.settings import load_settings
from lab.chaos.processes import Forked, Post, Tell
from lab.live import archive_now


class ArchiverProcess(Forked):
    """One run of the archiver in a process of its own: it ends when the lake has what the topics hold."""

    def again(self) -> None:
        """Start a run, unless the one before is still at work."""
        if not self.alive():
            self.start()

    @staticmethod
    def work(post: Post, tell: Tell) -> None:
        """Archive up to the ends of the topics."""
        servers = {"stack": "external", "kafka": post.kafka, "redis": post.redis}
        ends = archive_now(load_settings(home=post.home, partitions=post.partitions, **servers))
        tell(f"The lake reaches {', '.join(map(str, ends.values()))}.")
