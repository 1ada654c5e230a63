"""One warm judge for a workspace: who is served, what he gets, and that nobody waits for a watch that does not answer."""

import json
import math
import os
import queue
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from clozekit import submission, warm
from clozekit.catalog import Catalog
from clozekit.cli import main
from clozekit.exercise import Exercise
from clozekit.report import Meter, Problem, Report
from clozekit.serving import Serving
from clozekit.spare import Spare
from clozekit.warm import PLACE, Ask, Judged, Place
from clozekit.wire import Channel
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"
KIT = warm.fingerprint()


@pytest.fixture
def workspace(tmp_path, rms_norm, solution, monkeypatch) -> Workspace:
    """A workspace with a solved exercise, which is the current directory."""
    workspace = Workspace.create(tmp_path / "work", "en", "guided")
    workspace.write_starter(rms_norm)
    workspace.file(rms_norm).write_text(solution)
    monkeypatch.chdir(workspace.root)
    return workspace


@pytest.fixture
def spare(engine):
    with Spare(engine) as spare:
        yield spare


@pytest.fixture
def served(workspace, engine, spare, rms_norm):
    with Serving(workspace.root, engine, spare, Catalog([rms_norm.root]), KIT) as serving:
        yield serving


@pytest.fixture
def ask(workspace, rms_norm):
    """ask(source): what a client is told."""
    return lambda source, exercise=rms_norm: warm.grade(workspace, exercise, submission.Upload("a.py", source.encode()))


@pytest.fixture
def answers(workspace, tmp_path):
    """answers(function): a watch of which each connection is handed to a function."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "judge"))
    listener.listen()
    (workspace.root / PLACE).write_bytes(msgspec.json.encode(Place(str(tmp_path / "judge"))))

    def answers(function) -> None:
        threading.Thread(target=lambda: function(listener.accept()[0]), daemon=True).start()

    yield answers
    listener.close()


# Who is served


@pytest.mark.parametrize("mistake", ["", "eps_outside_sqrt"])
def test_the_report_is_that_of_ones_own_judge(served, ask, rms_norm, solution, grade, mistake):
    source = rms_norm.mistaken(rms_norm.mistakes[mistake]) if mistake else solution
    report, own = ask(source), grade(source)
    report.seconds = own.seconds = 0.0
    assert report == own
    assert report.mistake == (mistake or None)


def test_a_cost_without_a_bar_comes_back_whole(answers, ask):
    report = Report(ID, "passed", "A", meters=[Meter("steps", 3.0, math.inf, "passed")])

    def answer(client):
        channel = Channel(client)
        channel.receive(Ask)
        channel.send(Judged(report))

    answers(answer)
    assert ask("") == report


def test_several_are_served_at_once(served, ask, solution):
    reports: queue.Queue = queue.Queue()
    threads = [threading.Thread(target=lambda: reports.put(ask(solution))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert [reports.get(timeout=120).verdict for _ in threads] == ["passed"] * 4


def test_the_worker_that_waits_is_used_and_another_waits_then(served, spare, ask, solution, until, monkeypatch):
    taken, take = [], spare.take
    monkeypatch.setattr(spare, "take", lambda limits: taken.append(take(limits)) or taken[-1])
    assert ask(solution) is not None
    until(lambda: spare.ready)
    _, waiting = spare.ready
    assert ask(solution) is not None
    assert taken[-1] is waiting
    until(lambda: spare.ready and spare.ready[1] is not waiting)


def test_who_has_another_kit_is_not_served(served, ask, solution, monkeypatch):
    monkeypatch.setattr(warm, "fingerprint", lambda: "another")
    assert ask(solution) is None


def test_an_edited_kit_is_another_kit(monkeypatch, tmp_path):
    shutil.copytree(Path(warm.__file__).parent / "cli", tmp_path / "kit")
    monkeypatch.setattr("clozekit.__file__", str(tmp_path / "kit/__init__.py"))
    before = warm.fingerprint()
    assert before == warm.fingerprint()
    with open(tmp_path / "kit/watch.py", "a") as file:
        file.write("\n")
    assert warm.fingerprint() != before


def test_another_content_with_the_same_name_is_not_served(served, ask, solution, rms_norm, tmp_path):
    for folder in ("exercises", "solutions", "graders"):
        shutil.copytree(rms_norm.root / folder, tmp_path / "content" / folder)
    assert ask(solution, Exercise(tmp_path / "content", ID)) is None
    assert ask(solution) is not None


def test_an_exercise_that_the_watch_does_not_know_is_not_served(served, ask, author):
    assert ask("", author()) is None


def test_another_user_is_not_served_and_not_believed(served, ask, solution, monkeypatch):
    us = os.getuid()
    assert ask(solution) is not None
    monkeypatch.setattr(os, "getuid", lambda: us + 1)
    assert ask(solution) is None


def test_nobody_else_may_reach_the_socket(served):
    place = Path(served.place.socket)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_a_submission_cannot_reach_the_socket(served, grade, engine):
    if engine.tier() == "C":
        pytest.skip("this machine confines no system calls")
    report = grade(
        "import json, os\n"
        f"place = {served.place.socket!r}\n"
        "def attempt(action):\n"
        "    try:\n"
        "        return str(action())\n"
        "    except OSError as error:\n"
        "        return type(error).__name__\n"
        "def rms_norm(x, weight, eps=1e-6):\n"
        "    import socket\n"
        "    print(json.dumps([attempt(lambda: socket.socket(socket.AF_UNIX)),\n"
        "                      attempt(lambda: open(place)), attempt(lambda: os.listdir(os.path.dirname(place)))]))\n"
    )
    said = next(json.loads(test.output.splitlines()[0]) for test in report.tests if test.output)
    assert set(said) <= {"PermissionError", "FileNotFoundError"}
    assert said[0] == "PermissionError"


# A watch that does not answer


def test_without_a_watch_there_is_no_report(ask, workspace):
    assert ask("") is None
    (workspace.root / PLACE).write_text("{")
    assert ask("") is None


def test_a_socket_that_nobody_listens_at_is_passed_over(served, ask, workspace):
    served.listener.shutdown(socket.SHUT_RDWR)  # to close it is not enough: a thread still waits for clients
    served.listener.close()
    assert ask("") is None


@pytest.mark.parametrize(
    "function",
    [
        lambda client: client.close(),
        lambda client: threading.Event().wait(),
        lambda client: client.sendall(b"what is this?" * 100),
        lambda client: (Channel(client).send(warm.Busy()), client.close()),
        lambda client: (Channel(client).send(warm.Busy()), threading.Event().wait()),
    ],
    ids=["closes", "hangs", "talks nonsense", "dies at work", "hangs at work"],
)
def test_a_watch_that_fails_is_not_waited_for(answers, ask, function):
    answers(function)
    assert ask("") is None


def test_a_watch_that_takes_no_calls_is_not_waited_for(workspace, ask, tmp_path):
    """As one that Ctrl-Z has stopped."""
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as other:
        listener.bind(str(tmp_path / "judge"))
        listener.listen(0)
        other.connect(str(tmp_path / "judge"))  # the queue is full now
        (workspace.root / PLACE).write_bytes(msgspec.json.encode(Place(str(tmp_path / "judge"))))
        assert ask("") is None


def test_a_judge_that_failed_leaves_it_to_the_clients_own(served, ask, solution, engine, monkeypatch):
    problem = Problem("engine", {"error": "no memory"})
    monkeypatch.setattr(type(engine), "grade", lambda *_, **__: Report(ID, "could not check", "A", problem=problem))
    assert ask(solution) is None


def test_a_long_grading_is_waited_for(served, ask, engine, monkeypatch):
    until = time.monotonic() + 2 * warm.SILENCE
    report = Report(ID, "passed", "A")

    def long(*_: object, **__: object) -> Report:
        threading.Event().wait(until - time.monotonic())
        return report

    monkeypatch.setattr(type(engine), "grade", long)
    assert ask("") == report


def test_the_grading_ends_with_the_client(until, served, engine, rms_norm):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(served.place.socket)
        ask = warm.Ask(KIT, str(rms_norm.root.resolve()), ID, "answer.py")
        channel = Channel(sock)
        channel.send(ask, [b"while True:\n    pass\n"])
        assert isinstance(channel.receive(warm.Judged | warm.Busy)[0], warm.Busy)
    until(lambda: not os.listdir(engine.home))


# What is left


def test_nothing_is_left_of_a_served_workspace(workspace, engine, spare):
    with Serving(workspace.root, engine, spare, Catalog([]), KIT) as serving:
        home = os.path.dirname(serving.place.socket)
        assert os.path.exists(home)
    assert not os.path.exists(home)
    assert not (workspace.root / PLACE).exists()


def test_what_a_killed_watch_left_is_removed_by_the_next(workspace, engine, spare):
    killed = Serving(workspace.root, engine, spare, Catalog([]), KIT).__enter__()
    with Serving(workspace.root, engine, spare, Catalog([]), KIT):
        assert not os.path.exists(os.path.dirname(killed.place.socket))
    killed.__exit__()


def test_the_first_of_two_watches_leaves_the_second_its_place(workspace, engine, spare, rms_norm, ask, solution):
    first = Serving(workspace.root, engine, spare, Catalog([rms_norm.root]), KIT).__enter__()
    with Serving(workspace.root, engine, spare, Catalog([rms_norm.root]), KIT):
        first.__exit__()
        assert ask(solution) is not None


def test_where_no_socket_can_be_made_nobody_is_served(workspace, engine, spare, ask, monkeypatch, tmp_path):
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    with Serving(workspace.root, engine, spare, Catalog([]), KIT):
        assert ask("") is None
    assert not list(deep.iterdir())


# cloze check


@pytest.fixture
def no_engine(monkeypatch):
    """Whoever starts a judge of his own says so by status 77."""
    monkeypatch.setattr("clozekit.engine.Engine", lambda seed=None: os.sys.exit(77))
    for name in ("CLOZE_LANG", "CLOZE_CONTENT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [([], 0), (["--json", "-"], 0), (["--seed", "3"], 77), (["--device", "cuda"], 3)],
    ids=["plain", "json", "seed", "device"],
)
def test_check_uses_the_judge_of_the_watch_unless_it_must_not(served, no_engine, arguments, status):
    assert CliRunner().invoke(main, ["check", ID, *arguments]).exit_code == status


NEEDED = """
import sys
from clozekit.cli import main
try:
    main(["check", sys.argv[1]])
finally:
    assert not {"torch", "numpy", "clozekit.engine", "clozekit.cli.author", "clozekit.cli.meter"} & sys.modules.keys()
"""


def test_check_imports_nothing_that_only_a_judge_or_another_command_needs(served, workspace):
    done = subprocess.run([sys.executable, "-c", NEEDED, ID], cwd=workspace.root, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_check_records_what_the_watch_judged(served, no_engine, workspace):
    workspace.file(Exercise(Path(), ID)).write_text("def (")
    done = CliRunner().invoke(main, ["check", ID])
    assert (done.exit_code, "0 of 18 points" in done.output) == (1, True)
    [attempt] = Workspace(workspace.root).progress(ID).attempts
    assert (attempt.verdict, attempt.points) == ("failed", 0.0)


def test_check_without_a_watch_starts_its_own(no_engine, workspace):
    assert CliRunner().invoke(main, ["check", ID]).exit_code == 77
