"""What a learner asks for who is stuck or done: hint, explain, diff, solution."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from clozekit import blanks, differences, hints
from clozekit import report as reports
from clozekit.catalog import builtin_root, open_catalog
from clozekit.cli import study
from clozekit.cli.study import CaseName, MistakeName
from clozekit.exercise import LANGUAGES, Exercise
from clozekit.report import Problem, Report
from clozekit.state import Attempt, Progress
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"
MISTAKE = "eps_outside_sqrt"


# hint


def test_the_first_hint_is_about_the_mistake_that_was_found(cloze, mistaken, rms_norm):
    own = rms_norm.sheet.en.hints
    first, second, third = (cloze("hint", ID).output for _ in range(3))
    assert "at [" in first
    assert f"Could it be this? {rms_norm.sheet.en.mistakes[MISTAKE]}" in first
    assert f"{len(own)} more" in first
    assert second.startswith(own[0])
    assert third.startswith(own[1])


def test_another_mistake_comes_before_the_hints_that_are_left(rms_norm):
    """And the same one, made again, does not come again."""
    progress, words = Progress(), rms_norm.sheet.en

    def hint(mistake: str | None) -> str:
        report = Report(
            ID, "failed", "A", [reports.Result("gradients", "failed", problem=Problem("exit"))], mistake=mistake
        )
        return hints.take(rms_norm, progress, report, "en").text

    assert hint(None) == words.hints[0]
    assert words.mistakes[MISTAKE] in hint(MISTAKE)
    assert hint(MISTAKE) == words.hints[1]
    assert words.mistakes["mixes_rows"] in hint("mixes_rows")
    assert hint("mixes_rows") == words.hints[2]
    assert hint("a mistake of another version") == words.hints[2]


def test_a_hint_shows_no_hidden_case(rms_norm):
    veiled = reports.Result(
        "sizes drawn anew", "failed", hidden=True, problem=Problem("value", {"call": "secret", "yours": "1"})
    )
    report = Report(ID, "failed", "A", [veiled], mistake=MISTAKE)
    text = hints.take(rms_norm, Progress(), report, "en").text
    assert "secret" not in text
    assert "sizes" not in text
    assert rms_norm.sheet.en.mistakes[MISTAKE] in text


def test_all_hints_begin_with_the_mistake_too(cloze, mistaken, rms_norm):
    output = cloze("hint", ID, "--all", "--lang", "zh").output
    places = [output.index(text) for text in (rms_norm.sheet.zh.mistakes[MISTAKE], *rms_norm.sheet.zh.hints)]
    assert places == sorted(places)


# explain


def test_a_mistake_is_explained_by_its_words_its_code_and_a_case(cloze, rms_norm):
    output = cloze("explain", MISTAKE, "--exercise", ID).output
    assert rms_norm.sheet.en.mistakes[MISTAKE] in output
    assert "blank `normalise`" in output
    assert "    normed = wide / (wide.pow(2).mean(-1, keepdim=True).sqrt() + eps)\n" in output
    assert "✗ values: " in output
    assert "at [" in output


def test_without_a_name_it_is_the_last_that_was_found(cloze, mistaken, workspace, rms_norm):
    older = Attempt("2000-01-01T00:00:00Z", "guided", "failed", 1, 2, "forgets_scale")
    workspace = Workspace(workspace.root)
    with workspace.changing():
        workspace.progress("attention/multi_head_attention").attempts.append(older)
    shown = next(test for test in mistaken.tests if test.verdict == "failed")
    output = cloze("explain", "--lang", "zh").output
    assert rms_norm.sheet.zh.mistakes[MISTAKE] in output
    assert shown.problem.facts["yours"] in output  # the learner's own call, no new one


def test_nothing_was_found_yet(cloze):
    done = cloze("explain")
    assert done.exit_code == 2
    assert "no check in this workspace has found a known mistake yet" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    {
        ("eps_outside_sqr",): "did you mean eps_outside_sqrt",
        ("zzzzzz",): "a report gives the name of a mistake after its explanation",
        (MISTAKE, "--exercise", "attention/kv_cache"): "no exercise knows a mistake 'eps_outside_sqrt'",
        (MISTAKE, "--exercise", "rms_norm"): "did you mean normalization/rms_norm?",
    }.items(),
)
def test_an_unknown_mistake_is_told_with_the_nearest(arguments, message, cloze):
    done = cloze("explain", *arguments)
    assert done.exit_code == 2
    assert message in done.output


def test_a_mistake_of_several_exercises_is_told_for_each(cloze, workspace):
    output = cloze("explain", "forgets_weight").output
    for id in (ID, "triton/rms_norm"):
        words = Exercise(builtin_root(), id).sheet.en
        assert f"{id}\n{words.mistakes['forgets_weight']}" in output
    assert "--exercise TRACK/NAME" in output
    with workspace.changing():
        attempt = Attempt("2026-01-01T00:00:00Z", "guided", "failed", 1, 2, "forgets_weight")
        workspace.progress(ID).attempts.append(attempt)
    output = cloze("explain", "forgets_weight").output
    assert "return normed.to(x.dtype)" in output
    assert re.search(r"Also known in [^.]*triton/rms_norm", " ".join(output.split()))


def test_after_the_pass_the_right_code_stands_beside_it(cloze, passed):
    output = cloze("explain", MISTAKE, "--exercise", ID).output
    assert "-    normed = wide / (" in output
    assert "+    normed = wide * torch.rsqrt(mean_square + eps)" in output


EVERY = [
    pytest.param(exercise, name, id=f"{exercise.id} {name}")
    for exercise in open_catalog()
    for name in exercise.sheet.en.mistakes
]


@pytest.mark.parametrize(("exercise", "name"), EVERY)
def test_before_the_pass_no_line_of_the_solution_is_shown(exercise, name):
    """Neither as it stands there, nor laid out in another way or without its comment."""
    shown = differences.additions(exercise.mistaken(exercise.mistakes[name]), blanks.reveal(exercise.solution))
    right = {line.partition("  #")[0].strip() for line in blanks.reveal(exercise.solution).splitlines()}
    assert not [line for line in shown if line.strip() in right - {""}]


def test_a_mistake_that_only_leaves_out_shows_nothing():
    right = "def f(x):\n    y = x.clone()\n    y += 1  # reason\n    return y\n"
    assert differences.additions("def f(x):\n    y = x.clone()\n    return y\n", right) == []
    wrong = "def f(x):\n    y = x\n    y += 1\n    return y.T\n"
    assert differences.additions(wrong, right) == ["y = x", "…", "return y.T"]


# diff, solution


@pytest.mark.parametrize("command", ["diff", "solution"])
def test_before_the_pass_an_answer_is_not_shown_unasked(command, cloze):
    refused = cloze(command, ID)
    assert refused.exit_code == 1
    assert "is not solved yet. Show the solution?" in refused.output
    assert "--yes" in refused.output
    assert "尚未解出" in cloze(command, ID, "--lang", "zh").output
    assert "rsqrt" not in refused.output
    assert "rsqrt" in cloze(command, ID, "--yes").output


@pytest.mark.parametrize("command", [("diff", ID), ("solution", ID), ("reset", ID)])
def test_nobody_is_waited_for_who_is_not_there(command, cloze, workspace, process):
    """Standard input that stays open and says nothing must not make a script hang."""
    workspace.root.joinpath(f"{ID}.py").write_text("mine\n")
    read, write = os.pipe()
    with open(read) as silent, open(write, "w"):
        done = process(*command, stdin=silent, cwd=workspace.root, timeout=60)
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("answer", "shown"), [(b"y\n", True), (b"n\n", False), (b"\x03", False), (b"\x04", False)])
def test_at_a_terminal_it_is_asked(answer, shown, cloze, workspace, monkeypatch, at_a_terminal):
    status, said = at_a_terminal({b"[y/N]": answer}, "solution", ID)
    assert ("rsqrt" in said) == shown
    assert status == (0 if shown else 1)
    assert "Traceback" not in said


def test_after_the_pass_a_difference_is_one_of_code_only(cloze, passed, workspace, rms_norm):
    assert "the same but for the statement" in cloze("diff", ID).output
    own = blanks.fill(rms_norm.solution, "normalise", "normed = wide / torch.sqrt(wide.square().mean(-1, True) + eps)")
    statement = rms_norm.render().partition("import torch")[0]
    workspace.file(rms_norm).write_text(statement + own)
    unified = cloze("diff", ID).output
    assert f"--- yours: {workspace.file(rms_norm)}\n+++ our solution\n@@" in unified
    assert "\n-    normed = wide / torch.sqrt(wide.square()" in unified
    assert "\n+    normed = wide * torch.rsqrt(" in unified
    assert "Scale each vector" not in unified
    beside = cloze("diff", ID, "-y", "--lang", "zh").output
    assert "参考答案" in beside
    assert any("wide.square()" in line and "mean_square = wide" in line for line in beside.splitlines())


def test_code_in_brackets_is_no_markup_and_escapes_paint_nothing(cloze, passed, workspace, rms_norm, solution):
    workspace.file(rms_norm).write_text(f"{solution}\n\n# [red]x[/red] \x1b[31m\n")
    for output in (cloze("diff", ID).output, cloze("diff", ID, "-y").output):
        assert "# [red]x[/red]" in output
        assert "\x1b" not in output


def test_lines_far_from_a_change_are_skipped():
    lines = [f"x{number} = {number}" for number in range(40)]
    other = ["x0 = 1", *lines[1:-1], "x39 = 0"]
    found = list(differences.pairs("\n".join(lines), "\n".join(other)))
    assert found[0] == ("x0 = 0", "x0 = 1", "changed")
    assert found[-1] == ("x39 = 39", "x39 = 0", "changed")
    assert [kind for _, _, kind in found].count("skipped") == 1
    assert len(found) == 2 + 2 * differences.CONTEXT + 1


def test_diff_of_a_file_that_is_not_there(cloze, workspace, rms_norm):
    workspace.file(rms_norm).unlink()
    done = cloze("diff", ID, "--yes")
    assert done.exit_code == 2
    assert "`cloze init` writes the starters" in done.output


# Completion in the shell


def test_mistakes_and_cases_are_completed():
    context = click.Context(study.debug)
    context.params["exercise"] = ID
    mistakes = [item.value for item in MistakeName().shell_complete(context, None, "eps")]
    assert MISTAKE in mistakes
    cases = [item.value for item in CaseName().shell_complete(context, None, "")]
    assert "values: one row" in cases
    assert "sizes drawn anew" not in cases


@pytest.mark.parametrize("exercise", list(open_catalog()), ids=lambda exercise: exercise.id)
def test_what_is_completed_is_what_the_judge_collects(exercise, engine):
    collected = [case.name for case in engine.tester(exercise).cases if not case.hidden]
    assert sorted(exercise.visible_cases) == sorted(collected)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("arguments", [["explain", "forgets_weight"], ["hint", ID], ["diff", ID, "--yes"]])
def test_no_torch_for_what_only_reads(arguments, lang, cloze, tmp_path: Path):
    code = (
        "import sys\nfrom clozekit.cli import main\ntry: main(sys.argv[1:])\nfinally: assert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", code, *arguments, "--lang", lang]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=tmp_path)
