"""What the system refuses is told in the learner's language: what was refused, why, and what to do."""

import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clozekit.describe import describe
from clozekit.errors import CannotCheck, of_the_system, unreadable, why
from clozekit.phrases import LANGUAGES, table
from clozekit.report import Problem, Report
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"
AS_OTHERS_ARE = ["setpriv", "--bounding-set=-dac_override"]  # root without the right to write what it may not write


@pytest.fixture
def cloze(tmp_path):
    """cloze(directory, ...): what a command says that runs there and may not write what its mode forbids."""
    before = AS_OTHERS_ARE if os.geteuid() == 0 else []
    if before and (not shutil.which("setpriv") or subprocess.run([*before, "true"], capture_output=True).returncode):
        pytest.skip("root may write everything here, and setpriv cannot take that from a process")

    def cloze(directory: Path, *arguments: str, language: str = "en") -> subprocess.CompletedProcess:
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("CLOZE", "LC_"))}
        variables |= {"CLOZE_LANG": language, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [*before, sys.executable, "-m", "clozekit", *arguments]
        return subprocess.run(command, cwd=directory, env=variables, capture_output=True, text=True)

    return cloze


@pytest.fixture
def shut(tmp_path):
    """A workspace with one solved exercise, in which nothing may be written any more."""
    workspace = Workspace.create(tmp_path / "work", "en", "guided")
    workspace.record(Report(ID, "passed", "A"))
    folders = [workspace.root, *(path for path in workspace.root.rglob("*") if path.is_dir())]
    for path in [*folders, *workspace.root.rglob("lock")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield workspace.root
    for path in folders:
        path.chmod(0o755)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("arguments", [("start",), ("init",), ("notebook", ID)], ids=" ".join)
def test_a_directory_that_may_not_be_written_is_named(arguments, language, cloze, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    done = cloze(closed, *arguments, language=language)
    assert done.returncode == 2
    assert table(language)["os-EACCES"] in done.stderr
    assert str(closed) in done.stderr or arguments[0] == "notebook"  # which names its file
    assert ("mkdir ~/cloze" in done.stderr) == (arguments[0] != "notebook")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("arguments", [("start",), ("review", ID), ("interview",)], ids=" ".join)
def test_a_workspace_that_may_not_be_written_is_named(arguments, language, cloze, shut):
    done = cloze(shut, *arguments, language=language)
    assert done.returncode == 2
    assert str(shut) in done.stderr
    assert table(language)["os-EACCES"] in done.stderr
    assert "`ls -ld " in done.stderr
    assert done.stderr.count("\n") == 1


def test_progress_that_cannot_be_written_costs_nothing_else(cloze, shut):
    done = cloze(shut, "hint", ID, language="zh")
    assert done.returncode == 0
    assert done.stdout
    assert table("zh")["os-EACCES"] in done.stderr
    assert "Permission denied" not in done.stderr


@pytest.mark.parametrize("key", sorted(key for key in table("en") if key.startswith("os-")))
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_system_says_is_told_by_its_number(language, key):
    number = getattr(errno, key.removeprefix("os-"))
    error = OSError(number, os.strerror(number), "a.py")
    told = unreadable(Path("a.py"), error).text(language)
    if number != errno.ENOENT:  # which has a sentence of its own
        assert table(language)[key] in told
    assert told.count("a.py") == 1
    assert describe(Problem("engine", why(error)), language).endswith(f"a.py: {table(language)[key]}")


def test_a_number_without_a_word_is_told_as_the_system_says_it():
    error = OSError(errno.ENOTUNIQ, os.strerror(errno.ENOTUNIQ), "a.py")
    assert unreadable(Path("a.py"), error).text("zh") == f"a.py 无法读取：{os.strerror(errno.ENOTUNIQ)}"
    assert describe(Problem("system", why(error)), "zh") == f"a.py: {os.strerror(errno.ENOTUNIQ)}"


def test_a_reason_behind_a_reason_is_told_in_the_same_language():
    full = CannotCheck(Problem("judge-start", why(OSError(errno.ENOSPC, "No space left on device", "/tmp/cloze-1"))))
    told = describe(Problem("engine", why(full)), "zh")
    assert not re.search("[a-z]+ [a-z]+ [a-z]+", told)
    assert told.endswith("评测程序无法启动：/tmp/cloze-1: 磁盘已满；`df -h` 显示是哪一个")
    assert str(full) == "the judge cannot start: /tmp/cloze-1: No space left on device"


def test_a_descriptor_is_no_name(tmp_path):
    with pytest.raises(IsADirectoryError) as caught, open(os.open(tmp_path, os.O_RDONLY), "rb"):
        pass
    assert describe(of_the_system(caught.value), "en") == "Is a directory"
