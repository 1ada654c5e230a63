"""The commands as a user types them."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from clozekit.catalog import open_catalog
from clozekit.cli import main
from clozekit.cli.common import ExerciseId
from clozekit.errors import CannotCheck

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
    assert "..." not in shown.partition("Commands:")[2], "the first sentence of a command fits its line"
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


def test_demo_tells_the_whole_story():
    story = process("demo")
    assert story.returncode == 0, story.stdout
    assert story.stdout.count("$ cloze check") == 6
    assert story.stdout.count("Likely mistake") == 2
    assert story.stderr == ""
