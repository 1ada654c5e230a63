"""Which exercises there are, in which order, and what is said of one that there is not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from clozekit.catalog import Catalog, builtin_root, make_index, open_catalog, read_index
from clozekit.errors import ContentError, NotFound
from clozekit.skeleton import write_skeleton

CONTENTS = """
[goals]
speed = { en = "Fast", zh = "快" }

[[track]]
name = "norms"
title = { en = "Norms", zh = "归一化" }
[track.exercises]
rms_norm = { difficulty = 2 }
layer_norm = { difficulty = 1, minutes = 15, goals = ["speed"], after = ["norms/rms_norm"] }

[[track]]
name = "attention"
title = { en = "Attention", zh = "注意力" }
[track.exercises]
sdpa = { difficulty = 5 }
"""


def write_root(root: Path, *ids: str) -> Path:
    for id in ids:
        write_skeleton(root, id)
    return root


@pytest.fixture
def root(tmp_path) -> Path:
    """Three exercises in two tracks, in an order that is not alphabetical."""
    root = write_root(tmp_path / "course", "norms/layer_norm", "norms/rms_norm", "attention/sdpa")
    (root / "exercises/contents.toml").write_text(CONTENTS, "utf-8")
    return root


@pytest.fixture
def indexed(root) -> Path:
    """The same with an index that names its exercises in capitals, so that one sees where an entry comes from."""
    index = make_index(root)
    shouted = [msgspec.structs.replace(entry, title=type(entry.title)(entry.title.en.upper(), "")) for entry in index]
    (root / "exercises/index.json").write_bytes(msgspec.json.encode(shouted))
    return root


def titles(root: Path) -> list[str]:
    return [entry.title.en for entry in Catalog([root]).entries()]


PLAIN = ["Rms norm", "Layer norm", "Sdpa"]
SHOUTED = ["RMS NORM", "LAYER NORM", "SDPA"]


def test_exercises_come_in_the_order_of_the_table_of_contents(root):
    assert [exercise.id for exercise in Catalog([root])] == ["norms/rms_norm", "norms/layer_norm", "attention/sdpa"]


def test_an_entry_tells_what_the_list_shows(root):
    entry = Catalog([root]).entries()[1]
    assert (entry.id, entry.track, entry.title.en) == ("norms/layer_norm", "norms", "Layer norm")
    assert (entry.difficulty, entry.minutes, entry.goals, entry.after) == (1, 15, ["speed"], ["norms/rms_norm"])


def test_an_author_may_leave_out_all_but_the_difficulty(root):
    entry = Catalog([root]).entries()[0]
    assert (entry.minutes, entry.goals, entry.after) == (20, [], [])


def test_goals_of_all_roots_are_known_and_the_first_names_them(root, tmp_path):
    other = write_root(tmp_path / "other", "own/idea")
    own = (other / "exercises/contents.toml").read_text("utf-8").replace("goals = []", 'goals = ["speed"]')
    titles = '[goals]\nspeed = { en = "Mine", zh = "我" }\ncalm = { en = "Calm", zh = "静" }\n'
    (other / "exercises/contents.toml").write_text(titles + own, "utf-8")
    assert {name: title.en for name, title in Catalog([other, root]).goals().items()} == {
        "speed": "Mine",
        "calm": "Calm",
    }
    assert {name: title.en for name, title in Catalog([root, other]).goals().items()} == {
        "speed": "Fast",
        "calm": "Calm",
    }


def test_a_complete_index_is_believed(indexed):
    assert titles(indexed) == SHOUTED


# What happens to the index, or to the exercises that it lists.
STALE = {
    "missing": lambda index: index.unlink(),
    "not JSON": lambda index: index.write_text("[{"),
    "not UTF-8": lambda index: index.write_bytes(b'["\xff"]'),
    "of another shape": lambda index: index.write_text('[{"id": 3}]'),
    "short of one exercise": lambda index: index.write_text(json.dumps(json.loads(index.read_text())[1:])),
    "with one exercise too many": lambda index: index.write_text(
        json.dumps([*json.loads(index.read_text()), json.loads(index.read_text())[0] | {"id": "norms/gone"}])
    ),
}


@pytest.mark.parametrize("name", STALE)
def test_an_index_that_does_not_fit_is_replaced_by_a_fresh_one(indexed, name):
    STALE[name](indexed / "exercises/index.json")
    assert titles(indexed) == PLAIN


def test_an_index_is_read_without_a_look_into_the_files(indexed):
    for toml in (indexed / "exercises").glob("*/*.toml"):
        toml.write_text("broken = ")
    assert [entry.title.en for entry in read_index(indexed)] == SHOUTED


# An unknown id, and what is offered in its place.
UNKNOWN = {
    "norms/rms_nrom": "did you mean norms/rms_norm? ",
    "rms_norm": "did you mean norms/rms_norm? ",
    "RMS_norm": "did you mean norms/rms_norm? ",
    "sdqa": "did you mean attention/sdpa? ",
    "attention/rms_norm": "did you mean norms/rms_norm? ",
    "normalisation/layer_norm": "did you mean norms/layer_norm? ",
    "norms/rms_norm.py": "did you mean norms/rms_norm? ",
    "../norms/rms_norm": "did you mean norms/rms_norm? ",
    "zzz": "",
    "": "",
    "../../secret": "",
    "norms/": "did you mean norms/rms_norm? ",
}


@pytest.mark.parametrize("id", UNKNOWN)
def test_an_unknown_id_is_answered_by_the_nearest(root, id):
    with pytest.raises(NotFound) as error:
        Catalog([root])[id]
    assert str(error.value) == f"no exercise {id!r}: {UNKNOWN[id]}`cloze list` shows them all"


@pytest.mark.parametrize("id", ["../outside", "..\\outside", "./rms_norm", "norms/../x", "/rms_norm", "norms/\0"])
def test_an_id_is_no_path(root, id):
    (root / "outside.toml").write_text("secret = 1")
    (root / "exercises" / "rms_norm.toml").write_text("secret = 1")
    with pytest.raises(NotFound):
        Catalog([root])[id]


def test_the_first_root_that_has_an_id_wins(root, tmp_path):
    other = write_root(tmp_path / "other", "norms/rms_norm", "own/idea")
    catalog = Catalog([other, root])
    assert catalog["norms/rms_norm"].root == other
    assert catalog["attention/sdpa"].root == root
    assert [exercise.id for exercise in catalog] == [
        "norms/rms_norm",
        "own/idea",
        "norms/layer_norm",
        "attention/sdpa",
    ]
    assert [entry.id for entry in catalog.entries()] == [exercise.id for exercise in catalog]


def test_content_comes_before_the_environment_and_that_before_the_kit(root, tmp_path, monkeypatch):
    named = write_root(tmp_path / "named", "own/idea")
    more = write_root(tmp_path / "more", "own/other")
    monkeypatch.setenv("CLOZE_CONTENT", f"{named}{os.pathsep}{os.pathsep}{more}{os.pathsep}")
    assert open_catalog([root]).roots == [root, named, more, builtin_root()]
    monkeypatch.delenv("CLOZE_CONTENT")
    assert open_catalog().roots == [builtin_root()]


def test_a_content_root_may_be_given_relative_to_here(root, monkeypatch):
    monkeypatch.chdir(root.parent)
    assert open_catalog([Path("course")]).roots[0] == root


@pytest.mark.parametrize("by_environment", [False, True])
def test_a_directory_that_is_no_content_root_is_named(tmp_path, monkeypatch, by_environment):
    monkeypatch.setenv("CLOZE_CONTENT", str(tmp_path) if by_environment else "")
    with pytest.raises(NotFound, match=f"{tmp_path} is no content root: exercises/contents.toml is missing"):
        open_catalog([] if by_environment else [tmp_path])


# An edit of the table of contents, and what is said of it.
BROKEN = {
    "an exercise that does not exist": (
        "sdpa =",
        "sdqa = { difficulty = 1 }\nsdpa =",
        "lists attention/sdqa, but exercises/attention/sdqa.toml does not exist",
    ),
    "an exercise left out": (
        "rms_norm = { difficulty = 2 }\n",
        "",
        "does not list norms/rms_norm; add it to its track",
    ),
    "a difficulty of six": (
        "difficulty = 5",
        "difficulty = 6",
        "track.1.exercises.sdpa.difficulty: expected `int` <= 5",
    ),
    "a misspelt key": (
        "difficulty = 5",
        "dificulty = 5",
        "track.1.exercises.sdpa: unknown key `dificulty`; did you mean `difficulty`?",
    ),
    "an unknown key": (
        "difficulty = 5",
        "difficulty = 5, afer = []",
        "track.1.exercises.sdpa: unknown key `afer`; did you mean `after`?",
    ),
    "an unknown key of a track": (
        'name = "attention"',
        'name = "attention"\ntittle = "A"',
        "track.1: unknown key `tittle`; did you mean `title`?",
    ),
    "an unknown key at the top": ("[goals]", "tracks = 2\n[goals]", "unknown key `tracks`; did you mean `track`?"),
    "a title in a third language": (
        'zh = "注意力"',
        'zh = "注意力", fr = "Attention"',
        "track.1.title: unknown key `fr`; delete it",
    ),
    "a title in one language": ('zh = "注意力"', "", "track.1.title: the key `zh` is missing; add it"),
    "a track with two tables": (
        'name = "attention"',
        'name = "norms"',
        "track `norms` has two tables; make them one",
    ),
    "a misspelt goal": (
        '"speed"',
        '"sped"',
        "track.0.exercises.layer_norm.goals: unknown goal `sped`; did you mean `speed`?",
    ),
    "a goal that nobody named": (
        '"speed"',
        '"cooking"',
        "track.0.exercises.layer_norm.goals: unknown goal `cooking`; add it to [goals], with its title in en and zh",
    ),
    "goals that are no list": (
        '["speed"]',
        '"speed"',
        "track.0.exercises.layer_norm.goals: expected `array`, got `str`",
    ),
    "a goal without Chinese": ('zh = "快"', "", "goals.speed: the key `zh` is missing; add it"),
    "no time at all": (
        "minutes = 15",
        "minutes = 0",
        "track.0.exercises.layer_norm.minutes: expected `int` >= 1",
    ),
    "not TOML": ("[[track]]", "[[track]", "not TOML: "),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_table_of_contents_names_file_key_and_fix(root, name):
    old, new, message = BROKEN[name]
    path = root / "exercises/contents.toml"
    path.write_text(CONTENTS.replace(old, new, 1).replace('",  }', '" }'), "utf-8")
    with pytest.raises(ContentError) as error:
        list(Catalog([root]))
    assert str(error.value).startswith(f"{path}: {message}")


def test_the_kit_brings_its_own_exercises():
    assert "normalization/rms_norm" in [exercise.id for exercise in open_catalog()]


def test_the_kit_leads_from_easy_to_hard_and_into_no_circle():
    """Every exercise serves a goal, every goal has exercises, and all that comes before one stands above or is easier."""
    entries = open_catalog().entries()
    places = {entry.id: place for place, entry in enumerate(entries)}
    assert all(entry.goals for entry in entries)
    assert {goal for entry in entries for goal in entry.goals} == set(open_catalog().goals())
    assert [
        (before, entry.id) for entry in entries for before in entry.after if places[before] > places[entry.id]
    ] == []


def test_listing_imports_no_torch(root):
    """A learner asks for the list many times a day, and torch takes seconds to import."""
    code = (
        "import sys; from pathlib import Path; from clozekit.catalog import Catalog;"
        "print(len(Catalog([Path(sys.argv[1])]).entries()), 'torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True)
    assert ran.stdout == "3 False\n"
