"""A TCP proxy that stands between clients and a Redis on loopback, and makes the network's faults at a chosen request.

A client waits for replies, so the proxy goes by request and reply: it reads a whole request, passes it on, reads the whole reply,
passes it back. So it knows which reply belongs to which request, and a reply that it loses is one whose request was *done*. It is
not made for what Redis says unasked: no subscriptions, no MONITOR. Requests of several connections are counted together, in the
order in which they come.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Literal
from urllib.parse import urlsplit, urlunsplit

_LENGTHS = b"$=!"  # of these types, so many bytes follow
_MANY = {b"*": 1, b"~": 1, b">": 1, b"%": 2, b"|": 2}  # and of these, so many values for each that is counted
_UNASKED = b">"
_ATTRIBUTES = b"|"
_Loss = Literal["request", "reply"]


@dataclass(eq=False)
class _Fault:
    """The ``left``-th matching request from now is lost, or its reply is."""

    what: _Loss
    command: str | None
    left: int

    def hits(self, command: str) -> bool:
        if self.command not in {None, command}:
            return False
        self.left -= 1
        return self.left == 0


class RedisProxy:
    """A proxy in threads of its own; ``url`` is where clients connect. It is closed as a context manager, or by ``close``.

    Args:
        upstream: the address of the Redis, ``redis://127.0.0.1:PORT/0``.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 6379)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = urlunsplit(parts._replace(netloc=f"127.0.0.1:{self._listener.getsockname()[1]}"))
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._open: set[socket.socket] = set()
        self._refuses = False
        self._delay_s = 0.0
        self._closed = threading.Event()
        self._passes = threading.Event()
        self._passes.set()
        self._held: frozenset[str] = frozenset()
        self._seen: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def lose_reply(self, command: str | None = None, nth: int = 1) -> None:
        """Lose the reply to the ``nth`` request from now (of one command): it is done, then the connection is cut."""
        self._add(_Fault("reply", command, nth))

    def lose_request(self, command: str | None = None, nth: int = 1) -> None:
        """Lose the ``nth`` request from now (of one command): the connection is cut before Redis sees it."""
        self._add(_Fault("request", command, nth))

    def delay(self, seconds: float) -> None:
        """Hold each request back for so long from now on; 0 ends it."""
        self._delay_s = seconds

    def hold(self, *commands: str) -> None:
        """Hold each request (of these commands, where some are named) back until ``release``; it is counted as seen meanwhile."""
        self._held = frozenset(commands)
        self._passes.clear()

    def release(self) -> None:
        """Let the requests go on that are held back."""
        self._passes.set()

    def cut(self) -> None:
        """Cut all connections; new ones are accepted."""
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def refuse(self) -> None:
        """Cut all connections and let nobody in until ``allow``."""
        self._refuses = True
        self.cut()

    def allow(self) -> None:
        """Let clients in again."""
        self._refuses = False

    def seen(self, command: str | None = None) -> int:
        """Return how many requests (of one command) have come so far."""
        return self._seen.total() if command is None else self._seen[command]

    def lost(self, what: _Loss = "reply") -> int:
        """Return how many replies, or requests, were lost so far."""
        return self._lost[what]

    def close(self) -> None:
        """Cut everything and end the threads."""
        self._closed.set()
        self.refuse()
        self.release()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for connections
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def __enter__(self) -> RedisProxy:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _add(self, fault: _Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=[client], daemon=True)
            self._threads = [one for one in self._threads if one.is_alive()] + [thread]
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError, EOFError, ValueError):  # what is not Redis' protocol is cut too
            if self._refuses:
                return
            with socket.create_connection(self._upstream) as server:
                self._remember(client, server)
                try:
                    self._exchange(client, server)
                finally:
                    self._forget(client, server)

    def _remember(self, *sockets: socket.socket) -> None:
        with self._lock:
            self._open.update(sockets)
        if self._refuses:
            raise EOFError  # refused between the look and now

    def _forget(self, *sockets: socket.socket) -> None:
        with self._lock:
            self._open.difference_update(sockets)

    def _exchange(self, client: socket.socket, server: socket.socket) -> None:
        with client.makefile("rb") as asks, server.makefile("rb") as answers:
            while True:
                request = _value(asks)
                command = _command(request)
                loss = self._loss(command)
                if self._delay_s:
                    self._closed.wait(self._delay_s)
                if not self._held or command in self._held:
                    self._passes.wait()
                if loss != "request":
                    server.sendall(request)
                    reply = _reply(answers)
                if loss is not None:
                    with self._lock:
                        self._lost[loss] += 1
                    return
                client.sendall(reply)

    def _loss(self, command: str) -> _Loss | None:
        with self._lock:
            self._seen[command] += 1
            hit = [fault for fault in self._faults if fault.hits(command)]
            self._faults = [fault for fault in self._faults if fault not in hit]
        return hit[0].what if hit else None


def _reply(stream: BinaryIO) -> bytes:
    """Read a reply, with what was pushed or said about it before."""
    value = _value(stream)
    return value + _reply(stream) if value[:1] in {_UNASKED, _ATTRIBUTES} else value


def _value(stream: BinaryIO) -> bytes:
    """Read one value of Redis' protocol (RESP2 or RESP3) as the bytes that it is.

    Raises:
        EOFError: the connection ended.
    """
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise EOFError
    kind = line[:1]
    if kind in _LENGTHS and (length := int(line[1:])) >= 0:
        return line + _exactly(stream, length + 2)
    if kind in _MANY:
        return line + b"".join(_value(stream) for _ in range(int(line[1:]) * _MANY[kind]))
    return line


def _exactly(stream: BinaryIO, length: int) -> bytes:
    found = stream.read(length)
    if len(found) < length:
        raise EOFError
    return found


def _command(request: bytes) -> str:
    """Return the name of a request's command: the first text of its list."""
    parts = request.split(b"\r\n", 3)
    return parts[2].decode(errors="replace").upper() if len(parts) > 2 else ""
