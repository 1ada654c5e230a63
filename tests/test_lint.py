"""`cloze lint` and `cloze rule` as a user types them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import CliRunner, Result

from clozekit import linting
from clozekit.catalog import open_catalog
from clozekit.cli import main
from clozekit.rules.pages import MODULES

CHEAT = "import torch\n\n\ndef rms_norm(x, weight, eps=1e-6):\n    return '范数', torch.rms_norm(x, x.shape[-1:], weight, eps)\n"
FREE = "import torch\n\nkept = {}\n\n\ndef rms_norm(x, weight, eps=1e-6):\n    kept[0] = x\n    return x * weight\n"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("CLOZE_LANG", "LC_ALL", "LC_MESSAGES", "CLOZE_CONTENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    (tmp_path / "normalization").mkdir()
    return tmp_path


@pytest.fixture
def lint(folder):
    """lint(source, "--format", "json"): the command on a file normalization/rms_norm.py with this text or these bytes."""

    def lint(source: str | bytes, *options: str) -> Result:
        raw = source if isinstance(source, bytes) else source.encode()
        (folder / "normalization" / "rms_norm.py").write_bytes(raw)
        return run("lint", "normalization/rms_norm.py", *options)

    return lint


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def test_a_finding_is_told_with_place_rule_and_what_to_do(lint):
    result = lint(CHEAT)
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "normalization/rms_norm.py:5:18: CZ001 `torch.rms_norm` is what this exercise asks you to write",
        "    Write it with simpler operations; the statement has the formula.",
        "errors: 1, warnings: 0, files: 1",
        "`cloze rule CZ001` says more about a rule.",
    ]


def test_warnings_do_not_fail(lint):
    result = lint(FREE)
    assert result.exit_code == 0
    assert "(a warning)" in result.output


def test_a_clean_file_has_nothing_but_the_sum(lint):
    result = lint("def rms_norm(x, weight, eps):\n    return x\n")
    assert (result.exit_code, result.output) == (0, "errors: 0, warnings: 0, files: 1\n")


def test_the_words_are_chinese_where_they_are_wanted(lint):
    assert "正是本题要你实现的内容" in lint(CHEAT, "--lang", "zh").output


def test_several_files_of_one_exercise(folder):
    for name in ("ann", "bob"):
        (folder / f"{name}.py").write_text(CHEAT)
    result = run("lint", "ann.py", "bob.py", "--exercise", "normalization/rms_norm")
    assert result.output.count("CZ001 `torch") == 2
    assert "files: 2" in result.output


# What cannot be read

UNREADABLE = {
    "a syntax error": (b"def f(x):\n    return (x\n", 2, "was never closed"),
    "Latin-1": ("# caf\xe9\n".encode("latin-1"), 1, "not UTF-8"),
    "Latin-1 further down": ("x = 1\n\n# caf\xe9\n".encode("latin-1"), 3, "not UTF-8"),
    "UTF-16": ("x = 1\n".encode("utf-16"), 1, "not UTF-8"),
    "binary": (b"\x7fELF\0\0", 1, "NUL"),
    "empty": (b"", 1, "empty"),
    "another encoding": (b"# coding: utf-7\n", 1, "utf-7"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_is_no_python_is_a_finding(lint, name):
    raw, line, says = UNREADABLE[name]
    result = lint(raw, "--format", "json")
    (found,) = json.loads(result.output)
    assert (result.exit_code, found["code"], found["line"]) == (1, "CZ901", line)
    assert says in found["message"]


def test_a_byte_order_mark_is_no_error(lint):
    assert lint(b"\xef\xbb\xbfx = 1\n").exit_code == 0


# What wants to hurt the machine


def test_a_file_that_wants_more_memory_than_there_is_says_so(lint, monkeypatch):
    monkeypatch.setattr(linting, "MEMORY_MB", 16)
    monkeypatch.setattr(linting.rules, "findings", lambda tree, sheet: bytearray(64 << 20))
    result = lint("x = 1\n")
    assert (result.exit_code, "more than 16 MB of memory" in result.output) == (1, True), result.output


def test_a_file_that_wants_more_time_than_there_is_says_so(lint, monkeypatch):
    monkeypatch.setattr(linting, "CPU_SECONDS", 1)
    monkeypatch.setattr(linting.rules, "findings", lambda tree, sheet: [iter(int, 1).__next__() for _ in iter(int, 1)])
    result = lint("x = 1\n")
    assert (result.exit_code, "more than 1 s of processor time" in result.output) == (1, True), result.output


def test_a_file_that_breaks_the_parser_is_a_finding(lint):
    for source in ("x = " + "-" * 100_000 + "1\n", "x" + ".a" * 50_000 + "\n"):
        result = lint(source)
        assert (result.exit_code, "CZ902" in result.output) == (1, True), result.output


def test_an_error_of_ours_is_not_the_files(lint, monkeypatch):
    monkeypatch.setattr(linting.rules, "findings", lambda tree, sheet: 1 / 0)
    result = lint("x = 1\n")
    assert (result.exit_code, "the rules themselves failed" in result.output) == (3, True)


def test_nothing_of_the_file_runs(lint, folder):
    lint("open('ran', 'w')\n")
    assert not (folder / "ran").exists()


def test_torch_is_not_imported(folder):
    (folder / "normalization" / "rms_norm.py").write_text(CHEAT)
    script = "import atexit, sys\natexit.register(lambda: print('torch' in sys.modules))\nfrom clozekit.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", script, "lint", "normalization/rms_norm.py"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LANG": "C.UTF-8"},
    )
    assert done.stdout.endswith("False\n"), done


# Wrong usage


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["lint"], "FILE"),
        (["lint", "nowhere.py"], "nowhere.py does not exist"),
        (["lint", "normalization"], "is a directory"),
        (["lint", "other.py"], "which exercise is other.py for?"),
        (["lint", "other.py", "--exercise", "normalization/rms"], "did you mean normalization/rms_norm?"),
        (["lint", "pipe.py", "--exercise", "normalization/rms_norm"], "not an ordinary file"),
        (["rule", "CZ13"], "did you mean CZ103?"),
    ],
)
def test_wrong_usage_is_told(folder, arguments, says):
    (folder / "other.py").write_text("x = 1\n")
    os.mkfifo(folder / "pipe.py")
    result = run(*arguments)
    assert (result.exit_code, says in result.output) == (2, True), result.output


# Formats


def test_sarif_has_what_the_standard_requires(lint):
    """SARIF 2.1.0: 3.13, 3.14, 3.19, 3.27, 3.30, 3.49."""
    log = json.loads(lint(CHEAT, "--format", "sarif").output)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (made,) = log["runs"]
    assert made["columnKind"] == "unicodeCodePoints"
    driver = made["tool"]["driver"]
    assert driver["name"] == "clozekit"
    assert [each["id"] for each in driver["rules"]] == sorted(MODULES)
    for each in driver["rules"]:
        assert all(each[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
        assert each["defaultConfiguration"]["level"] in ("error", "warning")
    (result,) = made["results"]
    assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "CZ001"
    assert result["level"] == "error"
    assert result["message"]["text"].startswith("`torch.rms_norm` is what")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "normalization/rms_norm.py", "uriBaseId": "SRCROOT"}
    assert place["artifactLocation"]["uriBaseId"] in made["originalUriBaseIds"]
    assert place["region"] == {"startLine": 5, "startColumn": 18}  # in characters: 范数 is two


def test_sarif_of_a_clean_file_has_a_run_without_results(lint):
    assert json.loads(lint("x = 1\n", "--format", "sarif").output)["runs"][0]["results"] == []


def test_a_uri_is_escaped_and_relative_only_below_the_directory(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "a.py"
    odd = folder / "a b%c#d.py"
    for path in (odd, elsewhere):
        path.write_text(CHEAT)
    result = run("lint", str(odd), str(elsewhere), "--exercise", "normalization/rms_norm", "--format", "sarif")
    first, second = (
        each["locations"][0]["physicalLocation"]["artifactLocation"]
        for each in json.loads(result.output)["runs"][0]["results"]
    )
    assert first["uri"] == "a%20b%25c%23d.py"
    assert unquote(first["uri"]) == odd.name
    assert second == {"uri": elsewhere.as_uri()}


def test_github_shows_an_annotation(lint):
    first, *rest = lint(CHEAT, "--format", "github").output.splitlines()
    assert rest == []
    assert first == (
        "::error file=normalization/rms_norm.py,line=5,col=18,title=CZ001 forbidden-api::"
        "`torch.rms_norm` is what this exercise asks you to write%0A"
        "Write it with simpler operations; the statement has the formula."
    )


def test_github_gets_no_character_that_ends_a_command(folder):
    """A name of a file, or a line of source, may not begin another command."""
    (folder / "a,line=9:%b.py").write_text("x = (1 %\n::error::forged\n")
    result = run("lint", "a,line=9:%b.py", "--exercise", "normalization/rms_norm", "--format", "github")
    (line,) = result.output.splitlines()
    assert line.startswith("::error file=a%2Cline=9%3A%25b.py,line=")
    assert "%0A" in line


def test_json_has_a_row_for_each_finding(lint):
    (row,) = json.loads(lint(CHEAT, "--format", "json").output)
    assert row["exercise"] == row["file"].removesuffix(".py") == "normalization/rms_norm"
    assert (row["code"], row["name"], row["severity"]) == ("CZ001", "forbidden-api", "error")
    assert (row["line"], row["column"]) == (5, 18)
    assert row["message"]
    assert row["next"]


# Pages


def test_rule_lists_them_all(folder):
    lines = run("rule").output.splitlines()
    assert [line.split()[0] for line in lines] == sorted(MODULES)


def test_rule_prints_a_page(folder):
    assert run("rule", "CZ001").output.startswith("CZ001 forbidden-api\n\nWhat it does\n")
    assert run("rule", "cz001", "--lang", "zh").output.startswith("CZ001 forbidden-api\n\n作用\n")


# The hook of pre-commit

HOOKS = Path(__file__).parent.parent / ".pre-commit-hooks.yaml"


def test_the_hook_takes_answers_and_nothing_else():
    """Its pattern names every track; a new one that is missing there would not be linted."""
    pattern = re.compile(re.search(r"^  files: (.*)$", HOOKS.read_text("utf-8"), re.M)[1])
    for exercise in open_catalog():
        assert pattern.search(f"{exercise.id}.py")
        assert pattern.search(f"week1/ann/{exercise.id}.py")
        assert not pattern.search(f"{exercise.id}/helper.py")
    assert not pattern.search("tests/test_answers.py")
    assert not pattern.search("my_sampling/top_p.py")
