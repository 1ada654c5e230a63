"""`cloze watch` as it is used: the real command, in a terminal of its own or at a pipe."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clozekit import blanks
from clozekit.catalog import builtin_root, open_catalog
from clozekit.course import following
from clozekit.exercise import Exercise
from clozekit.warm import PLACE
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"
NEXT = following(open_catalog().entries(), "", {ID})  # whatever the kit has by now
THEN = NEXT.id
FIRST = blanks.find(Exercise(builtin_root(), THEN).solution)[0].name
COMMAND = [sys.executable, "-m", "clozekit", "watch"]
DEADLINE = 120
HANGS = "import torch\nwhile True:\n    pass\n"
KEYS = "h hint "  # how the bottom line begins


@pytest.fixture
def place(until, tmp_path, rms_norm, monkeypatch) -> Iterator[Path]:
    """Where temporary files of a watch go; what it has started is known by that. Nothing may be left of either."""
    place = tmp_path / "tmp"
    place.mkdir()
    for name in [name for name in os.environ if name.startswith(("CLOZE", "LC_", "PYTEST", "XDG"))]:
        monkeypatch.delenv(name)
    for name, value in (("LANG", "C.UTF-8"), ("TERM", "xterm-256color"), ("TMPDIR", str(place))):
        monkeypatch.setenv(name, value)
    yield place
    until(lambda: not started(place))
    until(lambda: not list(place.glob("cloze-*/*")))


@pytest.fixture
def workspace(tmp_path, rms_norm) -> Workspace:
    """A workspace of two exercises, both untouched."""
    workspace = Workspace.create(tmp_path / "work", "en", "guided")
    for id in (ID, THEN):
        workspace.write_starter(Exercise(rms_norm.root, id))
    return workspace


@pytest.fixture
def file(workspace, rms_norm) -> Path:
    return workspace.file(rms_norm)


def started(place: Path) -> list[int]:
    """Every process that has our directory for temporary files in its environment, zombies aside."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"TMPDIR={place}".encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


class Terminal:
    """A terminal in which a watch runs. Of what is written it keeps the rows, as a real one would show them."""

    def __init__(self, *arguments: str, cwd: Path, rows: int = 40, columns: int = 160):
        self.pid, self.leader = pty.fork()
        if self.pid == 0:
            for number in (signal.SIGINT, signal.SIGHUP):  # which a shell ignores for what it runs in the background
                signal.signal(number, signal.SIG_DFL)
            self.resize(rows, columns, 0)
            os.chdir(cwd)
            os.execv(sys.executable, [*COMMAND, *arguments])
        self.written, self.raw = "", b""
        self.size = rows

    def resize(self, rows: int, columns: int, descriptor: int | None = None) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.leader if descriptor is None else descriptor, termios.TIOCSWINSZ, size)

    def type(self, keys: str) -> None:
        os.write(self.leader, keys.encode())

    def read(self) -> bool:
        """More of what is written, if there will be any."""
        assert select.select([self.leader], [], [], DEADLINE)[0], self.page
        try:
            more = os.read(self.leader, 65536)
        except OSError:
            return False
        self.raw += more
        return bool(more)

    @property
    def page(self) -> list[str]:
        """The rows of the last page that is complete, without colours."""
        frames = re.findall(r"\x1b\[\?2026h(.*?)\x1b\[\?2026l", self.raw.decode("utf-8", "ignore"), re.S)
        rows = re.split(r"\x1b\[\d+;1H", frames[-1])[1:] if frames else []
        return [re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", row) for row in rows]

    def shows(self, *texts: str) -> list[str]:
        """The page, once it has each of these texts."""
        while not all(text in "\n".join(self.page) for text in texts):
            assert self.read(), f"ended without {texts}: {self.raw[-2000:]!r}"
        return self.page

    def ends(self) -> int:
        """Its exit status, or minus the signal that ended it."""
        with contextlib.suppress(OSError):
            while self.read():
                pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def terminal(place, workspace) -> Iterator[Callable[..., Terminal]]:
    """terminal(...): a watch of the workspace; whatever becomes of the test, it ends."""
    opened = []

    def terminal(*arguments: str, **options) -> Terminal:
        opened.append(Terminal(*arguments, cwd=workspace.root, **options))
        return opened[-1]

    yield terminal
    for each in opened:
        os.close(each.leader)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(each.pid, signal.SIGKILL)
            os.waitpid(each.pid, 0)


# On a terminal


def test_a_day_at_the_watch(terminal, file, solution, rms_norm, workspace):
    """One start for all that a save and a key can do: the start is what takes long."""
    screen = terminal()
    page = screen.shows("the blank `widen` is not filled in", f"failed  {ID}  0 of 18 points")
    assert page[0].strip() == f"{ID}  RMSNorm"
    assert page[1].startswith(f"{ID}.py    checked at")
    assert page[-1].startswith(KEYS)
    assert Workspace(workspace.root).progress(ID).attempts == []  # a look is no attempt

    file.write_text(rms_norm.mistaken(rms_norm.mistakes["eps_outside_sqrt"]))
    screen.shows("(eps_outside_sqrt)")
    screen.type("h")
    page = screen.shows(f"Hint 1 of 3: {rms_norm.words('en').hints[0]}")
    assert "\n".join(page).count(rms_norm.words("en").mistakes["eps_outside_sqrt"]) == 1
    screen.type("H")
    screen.shows(f"Hint 2 of 3: {rms_norm.words('en').hints[1]}"[:60])
    assert Workspace(workspace.root).progress(ID).hints == 2
    screen.type("m")
    screen.shows("What people write in the blank `normalise`:", "normed = wide / (")
    screen.type("?")
    screen.shows("n  go to the next exercise")
    screen.type("\x1b[A\x1bOB\x1bh ")  # arrows and Alt-h mean nothing, and the blank clears
    until_gone(screen, "n  go to the next exercise")
    assert Workspace(workspace.root).progress(ID).hints == 2
    screen.type("l")
    screen.shows("Level scratch", "l level: scratch")
    assert Workspace(workspace.root).state.level == "scratch"
    screen.type("g")
    screen.shows("可能的错误", "q 退出")
    assert Workspace(workspace.root).state.language == "en"
    screen.type("g")
    screen.shows(KEYS)

    file.write_text(HANGS)
    screen.shows("checking …")
    screen.type("?")
    screen.shows("checking …", "n  go to the next exercise")
    screen.type(" ")
    file.write_text("def (")
    screen.shows("line 1: invalid syntax")
    file.unlink()
    screen.shows("rms_norm.py is gone; it")
    draft = file.with_name("draft")
    draft.write_text(solution)
    draft.rename(file)
    screen.shows("18 of 18 points", f"Next: {THEN}, {NEXT.title.en}. n goes there.")
    assert Workspace(workspace.root).progress(ID).passed
    screen.type("m")
    screen.shows("none of the known mistakes")
    screen.type("n")
    page = screen.shows(f"the blank `{FIRST}` is not filled in")
    assert page[0].startswith(THEN)
    assert len(Workspace(workspace.root).progress(ID).attempts) == 3

    screen.resize(12, 50)
    page = screen.shows("more lines")
    while len(page) != 12:
        assert screen.read()
        page = screen.page
    assert page[-1].startswith(KEYS)
    assert all(len(row) <= 50 for row in page)
    assert any(row.startswith(f"failed  {THEN}") for row in page)
    screen.type("q")
    assert screen.ends() == 0
    assert screen.raw.endswith(b"\x1b[?25h\x1b[?1049l")
    assert not (workspace.root / PLACE).exists()


def until_gone(screen: Terminal, text: str) -> None:
    while text in "\n".join(screen.page):
        assert screen.read()


def modes(screen: Terminal) -> list:
    return termios.tcgetattr(screen.leader)[:4]


@pytest.fixture
def hanging(until, terminal, file, place) -> Terminal:
    """A watch whose submission never ends: front, zygote, tester and worker run."""
    file.write_text(HANGS)
    screen = terminal(ID)
    screen.shows("checking …")
    until(lambda: len(started(place)) >= 6)
    return screen


def test_ctrl_c_ends_it_while_a_submission_hangs(hanging):
    screen = hanging
    screen.type("\x03")
    assert screen.ends() == 130
    assert screen.raw.endswith(b"\x1b[?25h\x1b[?1049l")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_leaves_the_terminal_as_it_was(terminal, number):
    screen = terminal(ID)
    before = modes(screen)
    screen.shows("of 18 points")
    assert modes(screen) != before
    os.kill(screen.pid, number)
    assert screen.ends() == 128 + number
    assert screen.raw.endswith(b"\x1b[?25h\x1b[?1049l")


def test_a_terminal_that_is_closed_leaves_nothing(until, hanging, place, workspace):
    screen = hanging
    os.close(screen.leader)
    os.waitpid(screen.pid, 0)
    screen.leader = os.open(os.devnull, os.O_RDONLY)
    assert not (workspace.root / PLACE).exists()
    until(lambda: not list(place.iterdir()))


def test_q_ends_it_before_it_has_quite_started(terminal, file):
    screen = terminal(ID)
    screen.shows("checking …")
    screen.type("q")
    assert screen.ends() == 0


def test_a_killed_watch_leaves_no_process(until, hanging, place):
    screen = hanging
    os.kill(screen.pid, signal.SIGKILL)
    assert screen.ends() == -signal.SIGKILL
    until(lambda: not started(place))
    for left in place.glob("cloze-*/judge"):
        shutil.rmtree(left.parent)


def test_ctrl_z_gives_the_terminal_back_and_fg_draws_it_anew(until, terminal):
    screen = terminal(ID)
    before = modes(screen)
    screen.shows("of 18 points")
    screen.type("\x1a")
    until(lambda: Path(f"/proc/{screen.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    assert modes(screen) == before
    screen.raw = b""
    os.kill(screen.pid, signal.SIGCONT)
    screen.shows("of 18 points")
    screen.type("q")
    assert screen.ends() == 0


def test_of_one_watched_file_the_next_exercise_is_named(terminal, file, solution):
    file.write_text(solution)
    screen = terminal(ID, columns=160)
    screen.shows("18 of 18 points", f"Next: {THEN}", "Only this file is watched")
    screen.type("n")
    screen.shows("18 of 18 points")
    screen.type("q")
    assert screen.ends() == 0


@pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")
def test_in_tmux(until, place, workspace, file, solution, tmp_path):
    tmux = ["tmux", "-S", str(tmp_path / "tmux")]

    def pane() -> str:
        done = subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=False)
        return done.stdout

    subprocess.run([*tmux, "new-session", "-d", "-x", "90", "-y", "30", "-c", workspace.root, *COMMAND], check=True)
    try:
        until(lambda: f"failed  {ID}  0 of 18 points" in pane())
        file.write_text(solution)
        until(lambda: f"Next: {THEN}" in pane())
        subprocess.run([*tmux, "resize-window", "-x", "60", "-y", "14"], check=True)
        until(lambda: len(pane().splitlines()) == 14 and pane().splitlines()[-1].startswith(KEYS))
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)


# At a pipe


@pytest.fixture
def piped(place, workspace) -> Iterator[Callable[..., subprocess.Popen]]:
    """piped(...): a watch whose reports are read; it has said that it waits."""
    opened = []

    def piped(*arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=workspace.root,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        opened.append(process)
        return process

    yield piped
    for process in opened:
        process.terminate()
        process.wait(DEADLINE)
        process.stdout.close()
        process.stderr.close()


def test_as_json_each_save_is_answered_by_a_line_and_by_nothing_else(piped, file, solution, workspace):
    process = piped("--json", "--lang", "zh")
    file.write_text(solution)  # it may not have started yet
    first = json.loads(process.stdout.readline())
    done = subprocess.run(
        [*COMMAND[:-1], "check", ID, "--json", "-", "--lang", "zh"], cwd=workspace.root, capture_output=True, check=True
    )
    of_check = json.loads(done.stdout)
    first["seconds"] = of_check["seconds"] = 0
    assert first == of_check
    second = subprocess.run([*COMMAND, ID], cwd=workspace.root, capture_output=True, text=True, check=False)
    assert (second.returncode, second.stdout) == (2, "")
    assert "another `cloze watch` runs in this workspace" in second.stderr
    file.unlink()
    gone = json.loads(process.stdout.readline())
    assert (gone["verdict"], gone["tests"]) == ("could not check", [])
    assert str(file) in gone["message"]
    file.write_text("def (")
    assert json.loads(process.stdout.readline())["verdict"] == "failed"
    process.terminate()
    assert process.wait(DEADLINE) == 128 + signal.SIGTERM
    assert process.stdout.read() == ""
    assert process.stderr.read() == "正在监视 2 个文件：保存后即给出报告。按 Ctrl-C 结束。\n"


def test_without_a_terminal_reports_follow_each_other_as_plain_text(piped, file, solution):
    process = piped(ID)
    assert process.stderr.readline() == "Files watched: 1. Save one, and its report follows. Ctrl-C ends.\n"
    file.write_text("def (")
    text = "".join(iter(process.stdout.readline, "\n"))
    assert "line 1: invalid syntax" in text
    assert text.endswith(f"failed  {ID}  0 of 18 points\n")
    file.write_text(solution)
    text = "".join(iter(process.stdout.readline, "\n"))
    assert text.endswith(f"passed  {ID}  18 of 18 points\n")
    assert "\x1b" not in text


def test_when_nobody_reads_any_longer_it_ends(piped):
    process = piped("--json")
    process.stderr.readline()
    process.stdout.close()
    assert process.wait(DEADLINE) == 0


def test_a_watch_wants_a_workspace_or_a_file(place, tmp_path):
    done = subprocess.run(COMMAND, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is in no workspace" in done.stderr
