"""Members of the group as processes."""

from __future__ import annotations

import signal
import threading

from contract.home import Home
from lab.chaos.processes import Forked, Post, Tell
from streaming.consumer import consume
from streaming.group import remove
from streaming.kafka_log import KafkaLog
from streaming.member import Member
from streaming.redis_store import RedisStore, connect

__all__ = ["MemberProcess", "Post"]


class MemberProcess(Forked):
    """A member in a process of its own: it joins the group by itself, and ends when it is asked to."""

    def kill(self) -> None:
        """End it as ``kill -9`` does, and take it out of the group as the command that owns members does."""
        if self.process is not None:
            pid = self.pid
            self.destroy()
            remove(self.post.kafka, pid)

    @staticmethod
    def work(post: Post, tell: Tell) -> None:
        """Consume until a signal asks to end."""
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        client = connect(post.redis)
        store = RedisStore(client)
        log = KafkaLog(post.kafka, post.partitions)
        member = Member(Home(post.home), store, post.partitions, post.step_events)
        consume(member, store, log, post.kafka, stop, tell=tell, timing=post.timing)
        log.close()
        client.close()
