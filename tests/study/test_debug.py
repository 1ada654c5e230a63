"""One visible case run on the learner's file, with print and pdb: `cloze debug`."""

import subprocess
from collections.abc import Callable

import pytest

from clozekit import blanks
from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"
MISTAKE = "eps_outside_sqrt"


@pytest.fixture
def debug(workspace, process) -> Callable[..., subprocess.CompletedProcess]:
    """debug(source, "values: no batch"): the learner's file is this source. Words of a title may come one by one."""

    def debug(source: str, *case: str) -> subprocess.CompletedProcess:
        workspace.root.joinpath(f"{ID}.py").write_text(source)
        return process("debug", ID, *(case or ("values:", "one", "row")), cwd=workspace.root)

    return debug


def test_without_a_case_the_visible_ones_are_listed(workspace, rms_norm, process):
    done = process("debug", ID, cwd=workspace.root)
    assert done.stdout.splitlines() == rms_norm.visible_cases
    assert "sizes drawn anew" not in done.stdout


def test_a_case_shows_what_came_what_was_expected_and_what_was_printed(workspace, rms_norm, debug):
    mistaken = rms_norm.mistaken(rms_norm.mistakes[MISTAKE]).replace(
        "    wide =", "    print('x is', x.dtype)\n    wide ="
    )
    done = debug(mistaken, "values: rows as small as eps")
    assert done.returncode == 0
    assert "Without a sandbox" in done.stdout
    assert "▸ rms_norm(float32[3, 8], float32[8], 1e-06)\nx is torch.float32\n  yours\n  tensor([[" in done.stdout
    assert "  expected\n  tensor([[" in done.stdout
    assert "(24 of 24 elements are off)" in done.stdout
    assert f"This was no verdict; `cloze check {ID}` gives one." in done.stdout
    assert Workspace(workspace.root).progress(ID).attempts == []
    assert not list(workspace.root.rglob("__pycache__"))


def test_the_same_numbers_come_again(solution, debug):
    runs = {debug(solution).stdout for _ in range(2)}
    assert len(runs) == 1
    assert "as expected" in runs.pop()


def test_an_exception_shows_the_lines_of_the_file_and_none_of_ours(workspace, solution, debug):
    done = debug(solution.replace("torch.rsqrt", "torch.no_such"), "数值：一维输入")
    assert done.returncode == 1
    frames = [line for line in done.stdout.splitlines() if line.startswith("  File ")]
    assert frames[0].startswith(f'  File "{workspace.root / ID}.py", line ')
    assert not [frame for frame in frames if "clozekit/" in frame]
    assert "AttributeError: module 'torch' has no attribute 'no_such'" in done.stdout
    assert "invalid syntax" in debug("def (\n").stdout
    assert "your file defines no `rms_norm`" in debug("x = 1\n").stdout


def test_a_breakpoint_opens_the_debugger_at_the_terminal(workspace, solution, monkeypatch, at_a_terminal):
    monkeypatch.chdir(workspace.root)
    workspace.root.joinpath(f"{ID}.py").write_text(solution.replace("    wide =", "    breakpoint()\n    wide ="))
    status, said = at_a_terminal(
        {b"(Pdb) ": b"p x.shape\n", b"torch.Size([16])": b"c\n"}, "debug", ID, "values: one row"
    )
    assert status == 0
    assert "-> wide = x.float()" in said
    assert "as expected" in said
    status, said = at_a_terminal({b"(Pdb) ": b"q\n"}, "debug", ID, "values: one row")
    assert status == 0
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("case", "message"),
    {
        "sizes drawn anew": "'sizes drawn anew' is a hidden case; only the judge runs it",
        "每次重新抽取的尺寸": "is a hidden case",
        "values: one rwo": "did you mean 'values: one row'?",
        "zzz": f"no case 'zzz': `cloze debug {ID}` lists them",
    }.items(),
)
def test_a_case_that_cannot_be_debugged(case, message, solution, debug):
    """Of a hidden one nothing else is told, and nothing of it runs."""
    done = debug(f"print('loaded')\n{solution}", case)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_a_kernel_prints_what_its_programs_see(cloze, workspace, process):
    assert cloze("init", ".", "--track", "triton").exit_code == 0
    kernel = blanks.reveal(Exercise(builtin_root(), "triton/fused_softmax").solution)
    file = workspace.root / "triton/fused_softmax.py"
    file.write_text(kernel.replace("    inside = col < cols\n", "    inside = col < cols\n    print('cols', cols)\n"))
    done = process("debug", "triton/fused_softmax", "values: one row", cwd=workspace.root)
    assert done.returncode == 0, done.stderr
    assert "(0, 0, 0)  cols:  [37]" in done.stdout
    assert "as expected" in done.stdout
    costs = process("debug", "triton/fused_softmax", "costs: softmax(float32[1024, 1000])", cwd=workspace.root)
    assert costs.returncode == 2
    assert "`cloze bench triton/fused_softmax` shows that" in costs.stderr


def test_state_and_modules_are_debugged_call_by_call(cloze, workspace, process):
    assert cloze("init", ".", "--track", "attention").exit_code == 0
    for id, case, called in (
        ("attention/kv_cache", "attend: prefill then decode", "▸ KVCache.__len__()"),
        ("attention/multi_head_attention", "gradients", "▸ MultiHeadAttention("),
    ):
        solution = blanks.reveal(Exercise(builtin_root(), id).solution)
        (workspace.root / f"{id}.py").write_text(solution)
        done = process("debug", id, case, cwd=workspace.root)
        assert done.returncode == 0, done.stdout + done.stderr
        assert called in done.stdout
        assert "are off" not in done.stdout
