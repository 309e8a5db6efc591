"""The timeline's lines: aligned with their head, and within eighty columns."""

from __future__ import annotations

from lab.progress import HEADER, line_of

NIGHT = {
    "night": "2026-01-08T00:00:00Z", "operations": "pass", "distribution": "fail", "parity": "unjudged", "ranking": "unjudged",
    "ndcg": 0.5662, "ndcg_clean": None, "affected": 305, "listeners": 4_985,
}  # fmt: skip


def test_a_line_stands_under_its_head_and_fits_a_terminal() -> None:
    line = line_of(13, NIGHT)
    assert len(line) <= 80
    for head, value in (
        ("night", "2026-01-08"),
        ("distribution", "fail"),
        ("ranking", "unjudged"),
        ("NDCG", "0.566"),
        ("hit", "305/4985"),
    ):
        assert line[HEADER.index(head) :].startswith(value)
    assert line[HEADER.index("clean")] == "-"
