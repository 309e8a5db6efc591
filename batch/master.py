"""The way to a Spark master: whether the name is one, whether somebody answers there, and which of our addresses lies on it."""

from __future__ import annotations

import re
import socket

from contract.errors import InfrastructureError, UsageError

STANDALONE = "spark://"
LOOPBACK = "127.0.0.1"
ANSWER_S = 10
"""Spark itself tries for a minute, then fails with a message that does not name the master."""

LAST_PORT = 65535

_ADDRESS = r"[^,/]+:\d{1,5}"
_MASTERS = re.compile(rf"local(\[.+\])?|yarn|k8s://.+|{STANDALONE}(?P<places>{_ADDRESS}(,{_ADDRESS})*)")


def address_towards(master: str) -> str:
    """Return this machine's address on the way to a master: the one at which executors reach this process.

    Where the master stands on another machine it is that of the network in between, else loopback. A master that is no
    standalone one is not asked, and gets loopback too.

    Raises:
        UsageError: the name is none of a master.
        InfrastructureError: a standalone master does not answer, nor do those that stand by for it.
    """
    found = _MASTERS.fullmatch(master)
    places = [_host_and_port(place) for place in (found["places"] or "").split(",") if place] if found else []
    if not found or any(port > LAST_PORT for _, port in places):
        raise UsageError(f"'{master}' names no Spark master", "", "Name one as local[2], spark://HOST:PORT, yarn or k8s://…")
    if not places:
        return LOOPBACK
    why = ""
    for place in places:
        try:
            with socket.create_connection(place, ANSWER_S) as way:
                own = str(way.getsockname()[0])
                return f"[{own}]" if ":" in own else own
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
    raise InfrastructureError(f"No Spark master answers at {master}", why, "Start it, or name another with --master")


def _host_and_port(place: str) -> tuple[str, int]:
    host, port = place.rsplit(":", 1)
    return host.strip("[]"), int(port)
