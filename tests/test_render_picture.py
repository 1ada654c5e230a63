"""Pictures in a terminal, with colour and without, and where the characters are missing."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from clozekit import render_picture
from clozekit.cli import PLAIN
from clozekit.phrases import LANGUAGES
from clozekit.report import Picture

NUCLEUS = Picture([3, 8], ["00000000", "87008007", "99909909"], "[2]", [0.25, 0.0, 1.0, None], [0.0, 0.5, 0.125, 1.0])


def plain(picture: Picture, language: str = "en") -> list[str]:
    return ["".join(text for text, _ in line) for line in render_picture.lines(picture, language)]


def test_a_map_and_a_row():
    assert plain(NUCLEUS) == [
        "where [3, 8] is off, from . (correct) to 9 (farthest):",
        "  ........",
        "  87..8..7",
        "  999.99.9",
        "row [2]  expected  ·▄▁█",
        "row [2]  yours     ▂·█×",
    ]


def test_the_errors_of_a_vector_stand_below_its_bars():
    picture = Picture([4], ["9008"], "", [1.0, 0.5, 0.0, 0.0], [0.5, 0.5, 0.0, 0.25])
    assert plain(picture) == ["expected  ▄▄·▂", "yours     █▄··", "off       9..8"]
    assert plain(picture, "zh") == ["期望  ▄▄·▂", "你的  █▄··", "偏差  9..8"]


@pytest.mark.parametrize("values", [[-1.0, 2.0], [0.0, 0.0], [None, None]], ids=["below zero", "zero", "not finite"])
def test_a_row_without_a_bar_in_it_is_left_to_the_sentence(values):
    assert plain(Picture([2], [], "", values, values)) == []


def test_a_large_map_fits_the_screen_and_loses_nothing():
    picture = Picture([24, 48], ["0" * 48] * 22 + ["0" * 47 + "3", "0" * 48], "[1]", [1.0, 0.0], [0.0, 1.0])
    shown = plain(picture)
    assert len(shown) <= render_picture.LINES
    assert "".join(shown[1:-2]).count("3") == 1


def test_only_the_largest_value_has_a_full_bar():
    assert render_picture.bars([1e-9, 0.5, 0.999, 1.0], 1.0) == "▁▄▇█"


def test_values_near_the_end_of_a_float_are_drawn():
    assert render_picture.bars([1e308, 1.7e308], 1.7e308) == "▅█"


def printed(language: str, **options: object) -> str:
    console = Console(file=io.StringIO(), width=100, **options)
    for line in render_picture.lines(NUCLEUS, language):
        console.print(Text.assemble(*line))
    return console.file.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_colour_the_digits_say_the_same(language):
    assert "\x1b" not in printed(language, force_terminal=False)
    assert "\x1b[48" not in printed(language, force_terminal=True, no_color=True)
    assert "87..8..7" in printed(language, force_terminal=False)


def test_in_colour_every_level_differs():
    assert len(set(render_picture.HEAT)) == 9
    assert printed("en", force_terminal=True, color_system="truecolor").count("\x1b[37;48;2;107;21;131m9") == 6


def test_a_terminal_without_the_blocks_shows_digits():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors=PLAIN)
    stream.write("▁▄█ · × ✗ 你的\n")
    stream.flush()
    assert stream.buffer.getvalue() == b"148 . x ? ??\n"
