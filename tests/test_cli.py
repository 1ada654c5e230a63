"""The commands as a user types them."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import click
import pytest
import torch

from clozekit import blanks
from clozekit.catalog import builtin_root, open_catalog
from clozekit.cli import main
from clozekit.cli.common import ExerciseId
from clozekit.errors import CannotCheck
from clozekit.exercise import LANGUAGES, Exercise
from clozekit.protocol import Limits

ID = "normalization/rms_norm"
HERE = {name: value for name, value in os.environ.items() if not name.startswith(("CLOZE", "LC_", "PYTEST"))}
ENVIRONMENT = HERE | {"LANG": "C.UTF-8", "COLUMNS": "120"}


def process(*arguments: str, **options) -> subprocess.CompletedProcess:
    """The same as a process of its own."""
    command = [sys.executable, "-m", "clozekit", *arguments]
    return subprocess.run(command, text=True, env=ENVIRONMENT, check=False, **{"capture_output": True} | options)


@pytest.fixture
def answers(tmp_path, rms_norm, solution) -> Path:
    """A directory with a right answer, a known mistake, and the untouched starter."""
    folder = tmp_path / "normalization"
    folder.mkdir()
    (folder / "rms_norm.py").write_text(solution)
    (tmp_path / "mistaken.py").write_text(rms_norm.mistaken(rms_norm.mistakes["eps_outside_sqrt"]))
    (tmp_path / "untouched.py").write_text(rms_norm.render())
    return tmp_path


# Every command


def commands() -> list:
    context = click.Context(main)
    found = [main.get_command(context, name) for name in main.list_commands(context)]
    return [pytest.param(command, id=f"cloze {command.name}") for command in found if not command.hidden]


@pytest.mark.parametrize("command", commands())
def test_every_command_and_option_has_help(command, cloze):
    assert command.help
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert not [option.name for option in options if not option.help]
    shown = cloze(command.name, "--help")
    assert shown.exit_code == 0
    assert all(option.opts[0] in shown.output for option in options)


def test_the_program_says_where_to_start(cloze):
    shown = cloze("--help").output
    assert "cloze init" in shown
    assert "_CLOZE_COMPLETE=bash_source" in shown
    assert re.fullmatch(r"cloze, version \d+\.\d+\.\d+\S*\n", cloze("--version").output)
    assert cloze("no-such-command").exit_code == 2


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "--json"], ["show", ID], ["hint", ID]])
def test_no_torch_for_what_only_reads(arguments):
    code = (
        "import sys\nfrom clozekit.cli import main\ntry: main(sys.argv[1:])\nfinally: assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["show", ID], ["--help"]])
def test_a_closed_pipe_is_no_noise(arguments):
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as pipe:
        done = process(*arguments, capture_output=False, stdout=pipe, stderr=subprocess.PIPE)
    assert done.stderr == ""


def test_a_full_disk_is_told_without_a_traceback():
    with open("/dev/full", "w") as full:
        done = process("list", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (2, "cloze: No space left on device\n")


def test_a_terminal_without_our_characters_shows_others():
    done = subprocess.run(
        [sys.executable, "-m", "clozekit", "show", ID, "--lang", "zh"],
        env=ENVIRONMENT | {"PYTHONIOENCODING": "iso-8859-1"},
        capture_output=True,
        check=True,
    )
    assert b"??? LayerNorm ????" in done.stdout


@pytest.mark.parametrize(("variable", "colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_on_a_terminal_unless_it_is_not_wanted(variable, colours):
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "clozekit", "show", ID]
    subprocess.run(command, stdout=follower, check=True, env=ENVIRONMENT | variable)
    os.close(follower)
    with open(leader, "rb") as terminal:
        assert (b"\x1b[" in terminal.read1(1 << 16)) == colours


def test_ids_are_completed():
    assert ID in [item.value for item in ExerciseId().shell_complete(None, None, "norm")]


# list, show


def test_list_as_json_has_the_fixed_fields(cloze):
    rows = json.loads(cloze("list", "--json").output)
    assert [row["id"] for row in rows] == [entry.id for entry in open_catalog().entries()]
    for row in rows:
        assert {"id", "track", "title", "difficulty"} <= set(row)
        assert row["id"].startswith(row["track"] + "/")
        assert 1 <= row["difficulty"] <= 5
    zh = {row["id"]: row["title"] for row in json.loads(cloze("list", "--json", "--lang", "zh").output)}
    assert zh.keys() == {row["id"] for row in rows}


def test_list_can_be_cut_to_a_track(cloze):
    assert "normalization/rms_norm" in cloze("list", "--track", "normalization").output
    missing = cloze("list", "--track", "cooking")
    assert missing.exit_code == 2
    assert "no exercise in track cooking" in missing.output


def test_show_gives_the_statement_in_both_languages(cloze):
    assert "y = x / sqrt(mean(x²) + eps) · weight" in cloze("show", ID).output
    assert "只在最后一维上求均值" in cloze("show", ID, "--lang", "zh").output


# check


def test_check_needs_no_more_than_a_path(cloze, answers):
    passed = cloze("check", answers / "normalization" / "rms_norm.py")
    assert passed.exit_code == 0
    assert re.search(r"(\d+) of \1 tests passed", passed.output)
    assert re.search(rf"passed  {ID}  (\d+) of \1 points", passed.output)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Likely mistake", "eps belongs inside the square root", "(eps_outside_sqrt)", "failed")),
        ("zh", ("eps 应在根号内", "数值：与 eps 一样小的行", "(eps_outside_sqrt)")),
    ],
)
def test_check_names_the_mistake_in_the_learners_language(language, words, cloze, answers):
    failed = cloze("check", answers / "mistaken.py", "--exercise", ID, "--lang", language)
    assert failed.exit_code == 1
    for word in words:
        assert word in failed.output


def test_check_tells_an_untouched_blank_and_the_next_step(cloze, answers):
    failed = cloze("check", answers / "untouched.py", "--exercise", ID)
    assert failed.exit_code == 1
    assert "the blank `widen` is not filled in yet" in failed.output
    assert "Write the lines at the TODO" in failed.output


KEYS = [
    "schema",
    "exercise",
    "verdict",
    "score",
    "points",
    "max_points",
    "tier",
    "tests",
    "findings",
    "meters",
    "seconds",
]


def test_check_as_json_has_the_fixed_keys(cloze, answers):
    done = cloze("check", answers / "mistaken.py", "--exercise", ID, "--json", "-")
    report = json.loads(done.stdout)
    assert list(report) == KEYS
    assert (report["schema"], report["exercise"], report["verdict"]) == (1, ID, "failed")
    assert report["tier"] in ("A", "B", "C")
    assert report["score"] == round(report["points"] / report["max_points"], 6)
    for test in report["tests"]:
        assert set(test) == {"name", "verdict", "hidden", "points", "max_points", "message", "mistake"}
        assert test["mistake"] == (None if test["verdict"] == "passed" else "eps_outside_sqrt")
        assert bool(test["message"]) == (test["verdict"] == "failed")


def test_check_writes_a_page_of_its_report(cloze, answers):
    done = cloze("check", answers / "mistaken.py", "--exercise", ID, "--html", "page.html", "--lang", "zh")
    assert "未通过" in done.output
    page = Path("page.html").read_text("utf-8")
    assert page.startswith('<!doctype html>\n<html lang="zh-CN"')
    assert "eps_outside_sqrt" in page
    alone = cloze("check", answers / "normalization/rms_norm.py", "--html", "-")
    assert alone.stdout.startswith("<!doctype html>")
    assert alone.stdout.endswith("</html>\n")


def test_check_writes_json_to_a_file_and_text_to_the_terminal(cloze, answers):
    done = cloze("check", answers / "normalization/rms_norm.py", "--json", "report.json")
    assert re.search(r"(\d+) of \1 tests passed", done.output)
    assert json.loads(Path("report.json").read_text())["verdict"] == "passed"
    unwritable = cloze("check", answers / "normalization/rms_norm.py", "--json", "no/such/directory.json")
    assert unwritable.exit_code == 2
    assert "no/such/directory.json cannot be written: No such file or directory" in unwritable.output


def test_check_tells_what_a_rule_found(cloze, answers):
    (answers / "fused.py").write_text(
        "import torch.nn.functional as F\n\n\n"
        "def rms_norm(x, weight, eps=1e-6):\n    return F.rms_norm(x, weight.shape, weight, eps)\n"
    )
    done = cloze("check", answers / "fused.py", "--exercise", ID, "--json", "-")
    (finding,) = json.loads(done.stdout)["findings"]
    assert done.exit_code == 1
    assert (finding["code"], finding["severity"], finding["line"], finding["column"]) == ("CZ001", "error", 5, 12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    {
        ("missing.py",): "missing.py does not exist",
        (".",): ". is a directory; give a file",
        ("answer.py",): "which exercise is answer.py for? Add --exercise TRACK/NAME",
        ("answer.py", "--exercise", "normalisation/rms_norm"): "did you mean normalization/rms_norm?",
        ("answer.py", "--exercise", "rms_norm"): "did you mean normalization/rms_norm?",
        ("answer.py", "--exercise", "../../etc/passwd"): "no exercise '../../etc/passwd'",
        ("answer.py", "--exercise", ID, "--content", "nowhere"): "is no content root",
        ("answer.py", "--lang", "fr"): "'fr' is not one of 'en', 'zh'",
        (ID,): f"{ID}.py does not exist; `cloze init` writes the starters",
        (): "Missing argument 'FILE|EXERCISE'",
    }.items(),
)
def test_wrong_usage_is_told_with_status_2(arguments, message, cloze):
    Path("answer.py").write_text("x = 1\n")
    done = cloze("check", *arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("raw", "message"),
    {
        b"": "the file is empty",
        b"\0\1\2": "the file is not text",
        b"# caf\xe9\n": "the file is not UTF-8 (line 1)",
        b"# coding: latin-1\n": "only UTF-8 is read",
        b"def rms_norm(:\n": "line 1: invalid syntax",
        b"def rms_norm(x):\n\treturn x\n        return x\n": "line 3: ",
        b"(" * 10_000: "line 1: ",
        b"x = 1\n" * 400_000: "more than 1048576 bytes",
    }.items(),
)
def test_a_file_that_is_no_submission_fails(raw, message, cloze):
    Path("answer.py").write_bytes(raw)
    done = cloze("check", "answer.py", "--exercise", ID)
    assert done.exit_code == 1
    assert message in done.output


def test_a_file_with_bom_crlf_and_tabs_is_a_file_like_any_other(cloze, solution):
    Path("answer.py").write_bytes(b"\xef\xbb\xbf" + solution.replace("    ", "\t").replace("\n", "\r\n").encode())
    assert cloze("check", "answer.py", "--exercise", ID).exit_code == 0


def test_what_could_not_be_checked_is_status_3(cloze, author, monkeypatch):
    exercise = author(grader="import pytest\n\n\ndef test_gpu(check):\n    pytest.skip('no GPU')\n")
    Path("answer.py").write_text("x = 1\n")
    options = ["answer.py", "--content", exercise.root, "--exercise", exercise.id]
    skipped = cloze("check", *options)
    assert skipped.exit_code == 3
    assert "not checked: no GPU" in skipped.output
    assert "could not check" in skipped.output
    assert json.loads(cloze("check", *options, "--json", "-").stdout)["verdict"] == "could not check"

    def broken(seed):
        raise CannotCheck("no processes today")

    monkeypatch.setattr("clozekit.engine.Engine", broken)
    assert cloze("check", *options).exit_code == 3


def test_a_broken_exercise_is_its_authors_error(cloze, author):
    exercise = author(grader="1 / 0\n")
    Path("answer.py").write_text("x = 1\n")
    done = cloze("check", "answer.py", "--content", exercise.root, "--exercise", exercise.id)
    assert done.exit_code == 2
    assert f"{exercise.grader_path} cannot be loaded" in done.output
    assert "ZeroDivisionError" in done.output
    assert "clozekit/" not in done.output


def test_a_process_of_its_own_says_the_same(answers):
    passed = process("check", str(answers / "normalization/rms_norm.py"), "--seed", "7")
    assert passed.returncode == 0
    assert re.search(r"(\d+) of \1 tests passed", passed.stdout)
    failed = process("check", str(answers / "mistaken.py"), "--exercise", ID, "--json", "-", "--seed", "7")
    assert failed.returncode == 1
    assert {test["mistake"] for test in json.loads(failed.stdout)["tests"]} == {"eps_outside_sqrt", None}
    assert failed.stderr == ""


def test_ctrl_c_ends_a_check_and_all_that_it_started(author, tmp_path, until):
    exercise = author(seconds=100.0)
    answer = tmp_path / "square.py"
    answer.write_text("while True: pass\n")
    command = ["check", str(answer), "--content", str(exercise.root), "--exercise", exercise.id]
    running = subprocess.Popen(
        [sys.executable, "-m", "clozekit", *command],
        env=ENVIRONMENT | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which a shell ignores in the background
    )
    until(lambda: list(tmp_path.glob("cloze-*/*")))  # the scratch directory is there, so that the worker soon runs
    os.killpg(running.pid, signal.SIGINT)
    output, _ = running.communicate(timeout=10)
    assert running.returncode == 130
    assert "Traceback" not in output
    assert not list(tmp_path.glob("cloze-*"))


# init, hint, reset, solution: a workspace


@pytest.fixture
def workspace(cloze, tmp_path, monkeypatch) -> Path:
    """What `cloze init work --track normalization` makes; we are in it."""
    assert cloze("init", "work", "--track", "normalization").exit_code == 0
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_init_writes_every_starter(cloze, tmp_path):
    done = cloze("init", "all")
    assert done.exit_code == 0
    written = {
        path.relative_to(tmp_path / "all").with_suffix("").as_posix() for path in (tmp_path / "all").glob("*/*.py")
    }
    assert written == {entry.id for entry in open_catalog().entries()}
    assert f"{len(written)} starters written, 0 files kept" in done.output
    assert "cloze check all/" in done.output


def test_init_keeps_what_is_there(cloze, workspace, rms_norm):
    file = workspace / f"{ID}.py"
    assert file.read_text("utf-8") == rms_norm.render()
    file.write_text("mine\n")
    again = cloze("init", ".", "--track", "normalization")
    assert "0 starters written, " in again.output
    assert file.read_text() == "mine\n"
    assert cloze("init", ".", "--track", "cooking").exit_code == 2


def test_init_where_it_cannot_write_says_so(cloze):
    Path("normalization").write_text("a file where a directory must be")
    done = cloze("init", ".", "--track", "normalization")
    assert done.exit_code == 2
    assert "normalization: File exists" in done.output


def test_init_in_the_other_language_and_level(cloze, tmp_path, rms_norm):
    cloze("init", "zh", "--track", "normalization", "--lang", "zh", "--level", "scratch")
    assert (tmp_path / "zh" / f"{ID}.py").read_text("utf-8") == rms_norm.render("scratch", "zh")


def test_solving_is_remembered(cloze, workspace, solution):
    assert cloze("check", ID).exit_code == 1
    assert f"· {ID}" in cloze("list").output
    (workspace / f"{ID}.py").write_text(solution)
    assert cloze("check", ID).exit_code == 0
    assert f"✓ {ID}" in cloze("list").output
    assert {row["id"]: row["passed"] for row in json.loads(cloze("list", "--json").output)}[ID] is True
    assert cloze("solution", ID).output == blanks.reveal(Exercise(builtin_root(), ID).solution)


def test_the_solution_is_asked_for_twice(cloze, workspace):
    refused = cloze("solution", ID, input="n\n")
    assert refused.exit_code == 1
    assert "rsqrt" not in refused.output
    assert "rsqrt" in cloze("solution", ID, "--yes").output


def test_hints_go_one_step_further_each_time(cloze, workspace, rms_norm):
    hints = rms_norm.sheet.en.hints
    given = [cloze("hint", ID).output for _ in range(len(hints) + 1)]
    assert [text.splitlines()[0] for text in given] == [hint.splitlines()[0] for hint in [*hints, hints[-1]]]
    assert "more: run `cloze hint" in given[0]
    assert "That was the last hint" in given[-1]
    assert cloze("hint", ID, "--all").output == "\n\n".join(hints) + "\n"


def test_hints_outside_a_workspace_start_anew(cloze, rms_norm):
    assert cloze("hint", ID).output == cloze("hint", ID).output
    assert rms_norm.sheet.zh.hints[0] in cloze("hint", ID, "--lang", "zh").output


def test_reset_keeps_the_old_file_beside_the_new(cloze, workspace, rms_norm):
    file = workspace / f"{ID}.py"
    file.write_text("mine\n")
    assert cloze("reset", ID, input="n\n").exit_code == 1
    assert file.read_text() == "mine\n"
    for _ in range(2):
        assert cloze("reset", ID, "--yes").exit_code == 0
        assert file.read_text("utf-8") == rms_norm.render()
        assert file.with_name("rms_norm.py.bak").read_text() == "mine\n"


def test_reset_never_loses_what_was_written(cloze, workspace):
    """An untouched starter is not worth a backup, and an older backup is not overwritten."""
    path = workspace / f"{ID}.py"
    for text in ("# mine", "# mine too"):
        path.write_text(text)
        for level in ("guided", "scratch", "guided"):
            assert cloze("reset", ID, "--yes", "--level", level).exit_code == 0
    kept = {each.name: each.read_text() for each in path.parent.glob("rms_norm.py.bak*")}
    assert kept == {"rms_norm.py.bak": "# mine", "rms_norm.py.bak.1": "# mine too"}


def test_a_report_that_cannot_be_written_is_shown_all_the_same(cloze, workspace, solution):
    (workspace / f"{ID}.py").write_text(solution)
    done = cloze("check", ID, "--json", "nowhere/r.json")
    assert done.exit_code == 2
    assert f"passed  {ID}" in done.output


def test_reset_outside_a_workspace_says_what_to_do(cloze):
    done = cloze("reset", ID)
    assert done.exit_code == 2
    assert "`cloze init` makes one here" in done.output


# new, build, verify


def test_an_author_starts_with_new(cloze, tmp_path):
    content = "--content", tmp_path / "course"
    new = cloze("new", "lab/cube", *content)
    assert new.exit_code == 0
    assert "Now: cloze verify lab/cube" in new.output
    assert cloze("build", "--check", *content).exit_code == 0
    assert cloze("new", "lab/cube", *content).exit_code == 2
    assert "use lower case" in cloze("new", "Lab/Cube", *content).output
    proof = cloze("verify", "lab/cube", "--no-mutants", *content)
    assert proof.exit_code == 0
    assert "3 mistakes named" in proof.output
    assert cloze("list", "--track", "lab", *content).output.count("lab/cube") == 1


def test_build_tells_what_is_stale_and_what_is_stray(cloze, tmp_path):
    content = "--content", tmp_path / "course"
    cloze("new", "lab/cube", *content)
    exercise = Exercise(tmp_path / "course", "lab/cube")
    exercise.solution_path.write_text(exercise.solution.replace("# END", "# END\n    # a comment"))
    stale = cloze("build", "--check", *content)
    assert stale.exit_code == 1
    assert f"stale: {exercise.starter_path}" in stale.output
    assert cloze("build", *content).exit_code == 0
    assert cloze("build", "--check", *content).exit_code == 0
    exercise.starter_path.with_name("other.py").write_text("")
    stray = cloze("build", "--check", *content)
    assert stray.exit_code == 1
    assert "other.py has no .toml beside it" in stray.output


def test_verify_tells_what_an_author_has_to_do(cloze, author):
    exercise = author(
        grader=textwrap.dedent("""\
        from clozekit.grading import mistake, reference
        import torch

        def test_ones(check):
            check("square", torch.ones(3))

        @reference("square")
        def definition(x, scale=2.0):
            return scale * x * x

        @mistake(blank="square")
        def forgets_scale(x):
            return 2.0 * x * x

        @mistake(blank="square")
        def forgets_square(x, scale):
            return scale * x

        @mistake(blank="square")
        def scales_first(x, scale):
            return (scale * x) ** 2
        """)
    )
    done = cloze("verify", exercise.id, "--content", exercise.root, "--json")
    (proof,) = json.loads(done.stdout)
    complaints = "\n".join(proof["complaints"])
    assert done.exit_code == 1
    assert "mistake forgets_square is not refused: passed" in complaints
    assert "a mutant passes, line " in complaints
    assert "[zh.cases] lacks 'ones'" in complaints
    assert "mistake scales_first" not in complaints


# doctor, demo


def test_doctor_tries_a_worker(cloze, engine):
    found = json.loads(cloze("doctor", "--json").output)
    assert {"clozekit", "python", "platform", "torch", "triton", "pytest", "judge", "tier", "advice"} <= set(found)
    assert found["judge"] == "works"
    assert found["tier"] == engine.found.layers.tier
    assert "works" in cloze("doctor").output


def test_doctor_says_what_the_judge_misses_of_triton(cloze, engine, monkeypatch):
    monkeypatch.setitem(sys.modules, "clozekit.kernels.private", None)
    advice = json.loads(cloze("doctor", "--json").output)["advice"]
    assert any(line.startswith("kernels cannot be checked: ") and "clozekit.kernels.private" in line for line in advice)


def test_doctor_says_why_a_worker_does_not_start(cloze, engine, monkeypatch):
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: f"{engine.home}/missing")
    done = cloze("doctor", "--json")
    assert done.exit_code == 3
    assert json.loads(done.output)["judge"] == "does not work"
    assert "a worker does not start; it said: " in json.loads(done.output)["advice"][0]


def no_gpu():
    raise CannotCheck("no NVIDIA driver")


def test_doctor_tells_of_no_gpu(cloze, monkeypatch):
    monkeypatch.setattr("clozekit.bench.nvml.devices", no_gpu)
    assert json.loads(cloze("doctor", "--json").output)["device"] == "none (no NVIDIA driver)"


def test_doctor_tries_a_gpu_in_a_worker(cloze, engine, monkeypatch):
    """A worker that is asked to use a GPU does so before it listens; one that is not, starts on any machine."""
    monkeypatch.setattr("clozekit.bench.nvml.devices", lambda: 2)
    if not torch.cuda.is_available():
        found = json.loads(cloze("doctor", "--json").output)["device"]
        assert found.startswith("cuda, 2, which no worker can use (a worker does not start; it said: ")
    monkeypatch.setattr(engine, "spawn_worker", lambda limits, spawn=engine.spawn_worker: spawn(Limits()))
    assert json.loads(cloze("doctor", "--json").output)["device"] == "cuda, 2"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_check_on_a_gpu_where_there_is_none(cloze, answers, monkeypatch, lang):
    monkeypatch.setattr("clozekit.bench.nvml.devices", no_gpu)
    done = cloze("check", answers / "normalization/rms_norm.py", "--device", "cuda", "--lang", lang)
    assert done.exit_code == 3
    assert len(done.output.splitlines()) == 1
    assert "no NVIDIA driver" in done.output
    assert "`cloze doctor`" in done.output


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_check_on_a_gpu_that_no_worker_can_use(cloze, answers, monkeypatch, lang):
    """The driver knows of one, and torch was built without CUDA."""
    monkeypatch.setattr("clozekit.bench.nvml.devices", lambda: 1)
    done = cloze("check", answers / "normalization/rms_norm.py", "--device", "cuda", "--lang", lang)
    assert done.exit_code == 3
    assert "cuda cannot be used: " in done.output
    assert "Traceback" not in done.output
    assert "`cloze doctor`" in done.output


def test_demo_tells_the_whole_story():
    for path in (builtin_root() / "kernels/fused_softmax.py", builtin_root() / "exercises/triton/fused_softmax.toml"):
        if not path.exists():
            pytest.skip(f"{path.name} is not written yet")
    began = time.monotonic()
    story = process("demo")
    assert story.returncode == 0, story.stdout
    assert story.stdout.count("$ cloze check") == 6
    assert story.stdout.count("Likely mistake") == 2
    assert story.stderr == ""
    assert time.monotonic() - began < 60
