"""The way through the exercises: what comes next, how far one is, and the same on another machine."""

import json
from pathlib import Path

import pytest

from clozekit.catalog import Entry, Title, builtin_root, open_catalog
from clozekit.course import following, opened, towards
from clozekit.report import Report, Result
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"


def entry(id: str, difficulty: int, goals: str = "", after: str = "") -> Entry:
    return Entry(id, id.partition("/")[0], Title(id, id), difficulty, 20, goals.split(), after.split())


ENTRIES = [
    entry("norm/rms", 2, "training"),
    entry("attn/heads", 1, "attention", after="norm/rms"),
    entry("attn/cache", 3, "attention inference", after="attn/heads elsewhere/unknown"),
    entry("misc/dpo", 1, "training"),
    entry("gpu/add", 1),
    entry("gpu/plain", 2, "kernels"),
    entry("gpu/flash", 4, "kernels", after="gpu/add"),
    entry("misc/ring", 5, after="misc/round"),
    entry("misc/round", 5, after="misc/ring"),
]


CONTENTS = """
[goals]
attention = { en = "Attention", zh = "注意力" }
inference = { en = "Inference", zh = "推理" }

[[track]]
name = "normalization"
title = { en = "Normalization", zh = "归一化" }
[track.exercises]
rms_norm = { difficulty = 1 }

[[track]]
name = "attention"
title = { en = "Attention", zh = "注意力" }
[track.exercises]
multi_head_attention = { difficulty = 2, goals = ["attention"] }
kv_cache = { difficulty = 3, goals = ["inference"], after = ["attention/multi_head_attention"] }

[[track]]
name = "sampling"
title = { en = "Sampling", zh = "采样" }
[track.exercises]
top_p = { difficulty = 2, goals = ["inference"] }
"""


@pytest.fixture
def four(tmp_path_factory, monkeypatch) -> None:
    """The kit as if it had four exercises: it grows, and what is tested here does not."""
    root = tmp_path_factory.mktemp("kit")
    for name in ("solutions", "kernels", "graders"):
        (root / name).symlink_to(builtin_root() / name)
    (root / "exercises").mkdir()
    (root / "exercises/contents.toml").write_text(CONTENTS, "utf-8")
    for id in ("normalization/rms_norm", "attention/multi_head_attention", "attention/kv_cache", "sampling/top_p"):
        (root / f"exercises/{id}.toml").parent.mkdir(exist_ok=True)
        (root / f"exercises/{id}.toml").symlink_to(builtin_root() / f"exercises/{id}.toml")
    monkeypatch.setattr("clozekit.catalog.builtin_root", lambda: root)


def ids(entries) -> list[str]:
    return [entry.id for entry in entries]


def test_what_a_goal_builds_on_leads_to_it():
    assert ids(towards(ENTRIES, "inference")) == ["norm/rms", "attn/heads", "attn/cache"]
    assert ids(towards(ENTRIES, "training")) == ["norm/rms", "misc/dpo"]
    assert towards(ENTRIES, "") == ENTRIES


# A goal and what is solved, and what comes next.
NEXT = {
    "the easiest first": ("", "", "misc/dpo"),
    "but not before its foundations": ("attention", "", "norm/rms"),
    "then what builds on it": ("attention", "norm/rms", "attn/heads"),
    "what comes before and is unknown here stops nobody": ("attention", "norm/rms attn/heads", "attn/cache"),
    "of equals the first in learning order": ("", "norm/rms", "attn/heads"),
    "what serves the goal before easier foundations of something harder": ("kernels", "", "gpu/plain"),
    "then the foundations": ("kernels", "gpu/plain", "gpu/add"),
    "the goal is reached": ("training", "norm/rms misc/dpo", None),
    "a circle stops nobody either": (
        "",
        "norm/rms attn/heads attn/cache misc/dpo gpu/add gpu/plain gpu/flash",
        "misc/ring",
    ),
}


@pytest.mark.parametrize("name", NEXT)
def test_what_comes_next(name):
    goal, solved, expected = NEXT[name]
    found = following(ENTRIES, goal, solved.split())
    assert (found and found.id) == expected


def test_every_goal_of_the_kit_can_be_walked_to_its_end():
    entries = open_catalog().entries()
    for goal in ("", *open_catalog().goals()):
        solved: list[str] = []
        while found := following(entries, goal, solved):
            assert set(found.after) <= set(solved), "nothing comes before what it builds on"
            solved.append(found.id)
        assert sorted(solved) == sorted(ids(towards(entries, goal)))


def test_what_an_exercise_opens():
    assert ids(opened(ENTRIES, "norm/rms")) == ["attn/heads"]


# start


def solve(*ids: str) -> None:
    workspace = Workspace.around(Path.cwd())
    for id in ids:
        workspace.record(Report(id, "passed", "A", [Result("a", "passed")]))


def test_start_makes_a_workspace_here_and_says_why_this_one(cloze, rms_norm):
    done = cloze("start", "--for", "attention")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "RMSNorm  ★  about 10 minutes",
        f"{ID}.py",
        "  It serves your goal: Attention, from heads to FlashAttention.",
        "  It opens: " + ", ".join(entry.title.en for entry in opened(open_catalog().entries(), ID)) + ".",
        f"Fill it in, then: cloze check {ID}.py (`cloze watch` checks at every save)",
    ]
    assert Path(f"{ID}.py").read_text("utf-8") == rms_norm.render()
    assert [path.name for path in Path().glob("*/*.py")] == ["rms_norm.py"]


def test_start_remembers_the_goal_and_goes_on_from_what_is_solved(cloze, four):
    assert "sampling/top_p.py" in cloze("start", "--for", "inference").output
    solve("sampling/top_p")
    leads = cloze("start").output
    assert "attention/multi_head_attention.py" in leads
    assert "Your goal builds on it: Inference" in leads
    solve("attention/multi_head_attention")
    serves = cloze("start").output
    assert "attention/kv_cache.py" in serves
    assert "It serves your goal: Inference" in serves
    assert "It builds on: Multi-head attention." in serves
    assert "normalization/rms_norm.py" in cloze("start", "--for", "all").output
    assert Workspace.around(Path.cwd()).state.goal == ""


def test_start_keeps_what_is_written_and_finds_the_workspace_from_below(cloze, monkeypatch):
    cloze("start", "--for", "attention", "--lang", "zh", "--level", "scratch")
    Path(f"{ID}.py").write_text("mine\n")
    monkeypatch.chdir("normalization")
    done = cloze("start")
    assert "服务于你的目标" in done.output
    assert "\nrms_norm.py\n" in done.output
    assert Path("rms_norm.py").read_text() == "mine\n"
    assert not Path(".cloze").exists()
    state = Workspace.around(Path.cwd()).state
    assert (state.level, state.language, state.goal) == ("scratch", "zh", "attention")


def test_start_says_when_a_goal_is_reached(cloze):
    cloze("start", "--for", "interview")
    solve(*ids(towards(open_catalog().entries(), "interview")))
    done = cloze("start")
    assert done.exit_code == 0
    assert "You have solved all there is for your goal, Interviews" in done.output


def test_an_unknown_goal_is_told_and_nothing_is_made(cloze):
    done = cloze("start", "--for", "atention")
    assert done.exit_code == 2
    assert "did you mean attention? There are attention, inference, training, kernels, interview" in done.output
    assert not Path(".cloze").exists()


def test_a_goal_that_is_gone_from_the_kit_stops_nobody(cloze):
    cloze("start")
    with Workspace.around(Path.cwd()).changing() as state:
        state.goal = "cooking"
    assert "It serves your goal: all exercises." in cloze("start").output


def test_a_course_of_ones_own_has_goals_of_its_own(cloze, tmp_path):
    content = "--content", tmp_path / "course"
    cloze("new", "lab/cube", *content)
    contents = tmp_path / "course/exercises/contents.toml"
    text = contents.read_text("utf-8").replace("goals = []", 'goals = ["cubes"]')
    contents.write_text('[goals]\ncubes = { en = "Cubes", zh = "立方" }\n\n' + text, "utf-8")
    assert cloze("build", *content).exit_code == 0
    assert "It serves your goal: Cubes." in cloze("start", "--for", "cubes", *content).output
    assert Path("lab/cube.py").exists()


# progress


@pytest.fixture
def worked(cloze, four) -> None:
    """Two exercises are solved, one is begun."""
    cloze("init", ".", "--track", "attention")
    solve(ID, "attention/kv_cache")
    Workspace.around(Path.cwd()).record(Report("sampling/top_p", "failed", "A", [Result("a", "failed")]))


def test_progress_by_track(cloze, worked):
    done = cloze("progress").output.splitlines()
    assert done[0].split() == ["normalization", "1", "of", "1", "Normalization"]
    assert done[-1] == "2 of 4 solved, 1 more begun"
    found = json.loads(cloze("progress", "--json", "--lang", "zh").output)
    assert found["tracks"][1] == {"track": "attention", "title": "注意力", "solved": 1, "total": 2}
    assert (found["solved"], found["total"], found["begun"], found["due"]) == (2, 4, 1, [])


def test_progress_needs_a_workspace(cloze):
    done = cloze("progress")
    assert done.exit_code == 2
    assert "`cloze init` makes one here" in done.output


def test_progress_goes_to_another_machine_and_is_joined_there(cloze, worked, tmp_path, monkeypatch):
    assert cloze("progress", "--export", "mine.json").exit_code == 0
    assert json.loads(cloze("progress", "--export", "-").output)["schema"] == 2
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    cloze("start")
    solve("sampling/top_p")
    for source in ("../mine.json", "../.cloze/workspace.json"):
        assert "3 of 4 solved, 0 more begun" in cloze("progress", "--import", source).output
    attempts = Workspace.around(other).state.exercises["sampling/top_p"].attempts
    assert sorted(attempt.verdict for attempt in attempts) == ["failed", "passed"]


@pytest.mark.parametrize(
    ("text", "message"),
    {"{": "holds no progress", '{"schema": 9}': "newer clozekit (schema 9", "[]": "holds no progress"}.items(),
)
def test_what_is_no_progress_is_not_imported(cloze, worked, text, message):
    before = Path(".cloze/workspace.json").read_bytes()
    Path("odd.json").write_text(text)
    done = cloze("progress", "--import", "odd.json")
    assert done.exit_code == 2
    assert message in done.output
    assert Path(".cloze/workspace.json").read_bytes() == before
