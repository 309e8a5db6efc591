"""The card, opened as a picture and read as XML: size, colours, texts, and nothing half-written."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from contract.errors import InfrastructureError, UsageError
from lab.wrapped.card import ACCENT, GROUND, HIGH, MOST_STATS, WIDE, Card, Line, drawn, write_card
from lab.wrapped.type import fitted, shortened, width
from tests.saying import Say

LONG = "Symphony No. 9 in D minor, Op. 125: IV. Finale, Presto, Allegro assai"
LINES = (Line("Anthem & <Hymn>", "A$AP $Mob$", 24), Line(LONG, LONG, 19), Line("Кукушка", "Кино", 6), Line("Ελλάδα", "", 1))
CARD = Card(
    title="A year in listening",
    period="January 2026",
    hero="1,065",
    hero_label="minutes listened",
    list_title="Top songs",
    lines=LINES,
    stats=[("Top artist", LONG), ("Among its listeners", "top 3 %"), ("Taste", "explorers")],
    footer="Counted from the very data that made the recommendations: 404 listens on 12 days.",
)
SVG = "{http://www.w3.org/2000/svg}"


def texts(card: Card) -> list[ET.Element]:
    return list(ET.fromstring(drawn(card, "svg")[0]).iter(f"{SVG}text"))


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def picture(card: Card, path: Path) -> np.ndarray:
    assert write_card(card, path) == ""
    with Image.open(path) as image:
        assert (image.size, image.format) == ((1080, 1920), "PNG")
        return np.asarray(image.convert("RGB"))


def test_the_picture_is_a_tall_card_in_its_colours(tmp_path: Path) -> None:
    pixels = picture(CARD, tmp_path / "card.png").reshape(-1, 3)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    order = [tuple(map(int, colours[i])) for i in np.argsort(-counts)]
    assert order[0] == rgb(GROUND)
    assert {rgb(ACCENT), (255, 255, 255)} <= set(order[:4])


@pytest.mark.parametrize("card", [CARD, replace(CARD, hero="123,456,789,012"), replace(CARD, lines=(LINES[1],) * 5)])
def test_nothing_runs_into_the_margins(card: Card, tmp_path: Path) -> None:
    pixels = picture(replace(card, stats=[("Top artist", LONG)] * MOST_STATS), tmp_path / "card.png")
    drawn_on = (pixels != rgb(GROUND)).any(axis=2)
    rows, columns = np.flatnonzero(drawn_on.any(axis=1)), np.flatnonzero(drawn_on.any(axis=0))
    assert rows[0] >= 80
    assert not drawn_on[1750:1795].any()  # the footer stands apart
    assert rows[-1] < HIGH - 40
    assert columns[0] >= 70
    assert columns[-1] < WIDE - 80


@pytest.mark.parametrize("count", range(6))
@pytest.mark.parametrize("stats", [0, 1, 5, MOST_STATS])
def test_the_parts_never_overlap(count: int, stats: int) -> None:
    """The base lines of the texts stand apart, from the top down, and the last tile ends above the footer."""
    card = replace(CARD, lines=(LINES * 2)[:count], stats=[("Top artist", LONG)] * stats)
    left = sorted({float(one.get("y", 0)) for one in texts(card) if 84 < float(one.get("x", 0)) < 190})  # names, labels, values
    assert all(below - above >= 30 for above, below in pairwise(left))
    assert max(left, default=0) < 1746 - 20


def test_the_svg_says_what_the_figures_say() -> None:
    root = ET.fromstring(drawn(CARD, "svg")[0])
    assert [root.get(name) for name in ("width", "height", "viewBox")] == ["1080", "1920", "0 0 1080 1920"]
    told = [one.text or "" for one in texts(CARD)]
    assert {"1,065", "Anthem & <Hymn>", "A$AP $Mob$", "Кукушка", "top 3 %", "404 listens on 12 days."} <= set(told)
    assert LONG not in told
    assert sum(one.startswith("Symphony") and one.endswith("…") for one in told) == 3


def test_the_same_card_gives_the_same_bytes() -> None:
    assert drawn(CARD, "svg") == drawn(CARD, "svg")
    assert drawn(CARD, "png") == drawn(CARD, "png")
    assert b"date" not in drawn(CARD, "svg")[0]


def test_one_song_is_enough(tmp_path: Path) -> None:
    picture(replace(CARD, lines=LINES[:1], stats=[], period=""), tmp_path / "card.png")


def test_letters_without_a_font_are_named_for_a_picture_and_left_to_the_viewer_of_an_svg() -> None:
    card = replace(CARD, lines=[Line("\U0001f9a9 \ue000", "", 1)])  # a private letter: no font has it
    assert "\ue000" in drawn(card, "png")[1]
    assert drawn(card, "svg")[1] == ""


def test_a_text_is_cut_to_its_room() -> None:
    assert shortened("short", 30, 500) == "short"
    cut = shortened(LONG, 30, 300)
    assert cut.endswith("…")
    assert LONG.startswith(cut[:-1].rstrip())
    assert 240 < width(cut, 30) <= 300
    assert shortened("e\u0301" * 40, 30, 300)[-2] in ("e", "\u0301")


def test_a_size_is_fitted_between_its_bounds() -> None:
    assert fitted("1", 200, 60, 900) == 200
    assert width("1,234,567", fitted("1,234,567", 200, 60, 900)) == pytest.approx(900, rel=1e-6)
    assert fitted("1" * 99, 200, 60, 900) == 60


def test_any_other_ending_is_refused_before_anything_is_read(say: Say) -> None:
    said = say("wrapped", "nobody", "--log", "nowhere", "--card", "card.pdf")
    assert said.refusal == "The card card.pdf cannot be drawn: a card is an SVG or a PNG. Let its name end in .svg or .png."


def test_an_unwritable_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InfrastructureError, match="could not be written"):
        write_card(CARD, tmp_path / "file" / "card.svg")
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(InfrastructureError, match="could not be written"):
        write_card(CARD, tmp_path / "folder.svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.svg"]
    with pytest.raises(UsageError):
        write_card(CARD, tmp_path / "card")


def test_the_command_draws_it(say: Say, tmp_path: Path) -> None:
    said = say("wrapped", "user_03", "--classroom", "--card", tmp_path / "new" / "card.SVG")
    assert (said.code, said.out.splitlines()[-1]) == (0, f"The card: {tmp_path / 'new' / 'card.SVG'}")
    content = (tmp_path / "new" / "card.SVG").read_text()
    assert "user_03" not in content
    assert "Top songs" in content
