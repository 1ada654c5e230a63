"""docs/tracks: a page for a track in both languages, derived from its exercises."""

import runpy
import tomllib
from pathlib import Path

from clozekit.catalog import Catalog, builtin_root

DOCS = Path(__file__).parents[1] / "docs"
PAGES = runpy.run_path(str(DOCS / "make_tracks.py"))
WORDS = tomllib.loads((DOCS / "tracks/words.toml").read_text("utf-8"))


def test_the_pages_are_fresh():
    found = {path.name: path.read_text("utf-8") for path in (DOCS / "tracks").glob("*.md")}
    assert found == PAGES["documents"](), "run docs/make_tracks.py"


def test_every_exercise_of_a_track_answers_a_question():
    answering = {id for track in WORDS.values() for question in track["questions"] for id in question["ids"]}
    assert {exercise.id for exercise in Catalog([builtin_root()]) if exercise.track in WORDS} <= answering


def test_papers_are_links():
    linked = PAGES["linked"]("Su et al. 2021, RoFormer, arXiv:2104.09864, eq. 12; arXiv:1234.56789")
    assert linked == (
        "Su et al. 2021, RoFormer, [arXiv:2104.09864](https://arxiv.org/abs/2104.09864), eq. 12; "
        "[arXiv:1234.56789](https://arxiv.org/abs/1234.56789)"
    )
