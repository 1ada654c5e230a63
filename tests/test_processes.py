"""Who runs where, what a worker can see, and what it leaves behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from clozekit import submission
from clozekit.calls import Call
from clozekit.describe import describe
from clozekit.engine import Engine
from clozekit.errors import CannotCheck
from clozekit.grading.candidate import Candidate
from clozekit.protocol import Layers, Limits
from clozekit.report import Problem, Report

LAYERS = Layers.__struct_fields__
SQUARE = "def square(x, scale=2.0):\n    return scale * x * x\n"


def seen(report: Report, test: int = 0) -> list:
    """What a submission printed as JSON during one test."""
    return json.loads(report.tests[test].output)


def test_the_front_does_without_torch():
    front = "clozekit.classroom.running, clozekit.engine, clozekit.verify"
    code = f"import {front}, sys; assert not {{'torch', 'numpy'}} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)


# What a worker can see


@pytest.fixture(scope="module")
def square(author):
    """A private exercise with a visible and a hidden case, and a canary in its grader."""
    return author(
        grader=textwrap.dedent("""\
            import pytest
            import torch

            from clozekit.grading import reference

            CANARY = "the canary 7f3a1 sings"
            torch.randn(3)


            def test_visible(check):
                check("square", torch.randn(4), 3.0)


            @pytest.mark.hidden
            def test_hidden(check):
                check("square", torch.randn(4), 3.0)


            @reference("square")
            def definition(x, scale=2.0):
                return scale * (x * x)
            """)
    )


def test_a_worker_has_an_empty_environment_and_four_descriptors(grade, square, bare):
    found = seen(
        grade(
            "import json, os, sys\n"
            "descriptors = sorted(map(int, os.listdir('/proc/self/fd')))\n"
            "print(json.dumps([dict(os.environ), os.getcwd(), os.listdir(), descriptors, sys.argv]))\n" + SQUARE,
            square,
            bare,
        )
    )
    environment, directory, files, descriptors, arguments = found
    assert environment.pop("LANG") == "C.UTF-8"
    assert environment.pop("PATH") == ""
    assert environment.pop("PYTORCH_JIT") == "0"
    assert set(environment.values()) == {directory}
    assert not files
    assert descriptors[:4] == [0, 1, 2, 3]
    assert len(descriptors) == 5  # the fifth is that of the listing itself
    assert arguments == ["submission"]


def test_the_graders_text_is_not_in_a_workers_memory(grade, square, bare):
    found = seen(
        grade(
            textwrap.dedent("""\
            import gc, json, re, sys
            control = "the control " + str(2 ** 40) + " sings"
            gc.unfreeze()
            needle = re.compile(rb"the (canary [7]f3a1|control [1]099511627776) sings")
            found = set()
            with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as memory:
                for line in maps:
                    if line.split()[1].startswith("rw") and not line.endswith("[vvar]\\n"):
                        start, end = (int(part, 16) for part in line.split()[0].split("-"))
                        try:
                            memory.seek(start)
                            found |= set(needle.findall(memory.read(end - start)))
                        except OSError:
                            pass
            paths = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
            files = [thing for thing in gc.get_objects() if hasattr(type(thing), "readline")]
            paths += [str(getattr(file, "name", "")) for file in files]
            print(json.dumps([sorted(text.decode() for text in found), [path for path in paths if "square" in path]]))
            """)
            + SQUARE,
            square,
            bare,
        )
    )
    assert found == [["control 1099511627776"], []]


def test_visible_and_hidden_cases_run_in_two_processes(grade, square):
    report = grade(
        "import json, sys, torch\n"
        "def square(x, scale):\n"
        "    print(json.dumps([torch.initial_seed(), hasattr(sys, 'been here')]))\n"
        "    setattr(sys, 'been here', True)\n"
        "    return scale * x * x\n",
        square,
    )
    assert [(test.verdict, test.hidden) for test in report.tests] == [("passed", False), ("passed", True)]
    (visible, before), (hidden, between) = seen(report, 0), seen(report, 1)
    assert visible != hidden
    assert not before
    assert not between


DRAWS = (
    "import json, torch\n"
    "def square(x, scale):\n"
    "    print(json.dumps([x.tolist(), torch.initial_seed(), torch.equal(torch.randn(4), x)]))\n"
    "    return scale * x * x\n"
)


def test_the_seed_fixes_what_cases_draw_and_a_worker_cannot_foresee_it(grade, square, engine, bare):
    assert engine.seed != bare.seed
    first, again, elsewhere = (seen(grade(DRAWS, square, judge)) for judge in (engine, engine, bare))
    assert first[0] == again[0] != elsewhere[0]
    assert len({first[1], again[1], elsewhere[1]}) == 3
    assert not first[2]


# What is left behind


def alive(pid: int) -> bool:
    """Whether a process runs: a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(pids: list[int], seconds: float = 3.0) -> bool:
    """Whether these processes end within some seconds."""
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(map(alive, pids))


STAYS = textwrap.dedent("""\
    import json, os, time

    def stay(detach):
        read, write = os.pipe()
        if os.fork() == 0:
            if detach:
                os.setsid()
                if os.fork():
                    os._exit(0)
            os.write(write, str(os.getpid()).encode())
            time.sleep(1000)
        return int(os.read(read, 20))

    print(json.dumps([os.getpid(), stay(False), stay(True)]))

    def square(x, scale):
        open("left behind", "w").close()
        return scale * x * x
    """)


def test_what_a_submission_started_does_not_outlive_its_grading(grade, square, bare):
    report = grade(STAYS, square, bare)
    assert {test.verdict for test in report.tests} == {"passed"}
    assert gone(seen(report))
    assert grade(SQUARE, square, bare).verdict == "passed"
    assert os.listdir(bare.home) == []


def test_no_scratch_directory_is_left_of_a_grading(grade, square, engine):
    assert grade("open('left behind', 'w').write('x')\n" + SQUARE, square).verdict == "passed"
    assert os.listdir(engine.home) == []


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return [below for child in children for below in (child, *descendants(child))]
    return []


@pytest.mark.parametrize(("without", "source"), [((), SQUARE), (LAYERS, STAYS)], ids=["confined", "bare"])
def test_nothing_is_left_of_a_closed_engine(without, source, square, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Engine(without=without) as engine:
        tester = engine.tester(square)
        candidate = Candidate(lambda: engine.spawn_worker(Limits()), source, "answer.py", Limits())
        assert candidate.ask(Call(0, "square", None, [1.0, 1.0], {}), []).value == 1.0
        below = descendants(engine.process.pid)
        started = json.loads(candidate.printed() or "[]")
        assert set(started) <= set(below)
        assert all(map(alive, started))
        assert len([pid for pid in below if alive(pid)]) >= (2 if source == SQUARE else 4)
        assert list(tmp_path.glob("cloze-*/*"))
    assert gone(below)
    assert engine.process.returncode == 0
    assert tester.channel.sock.fileno() == -1
    assert not list(tmp_path.iterdir())


def test_processes_that_die_are_replaced(square):
    def grade():
        return engine.grade(square, submission.Upload("answer.py", SQUARE.encode()))

    with Engine() as engine:
        engine.tester(square)
        *_, tester = descendants(engine.process.pid)
        os.kill(tester, signal.SIGKILL)
        assert gone([tester])
        assert grade().verdict == "passed"
        home, below = engine.home, descendants(engine.process.pid)
        engine.process.kill()
        assert gone(below)
        assert grade().verdict == "passed"
        assert not os.path.exists(home)


def test_processor_time_is_limited_and_told(engine):
    limits = Limits(cpu_seconds=1, call_seconds=20.0)
    candidate = Candidate(lambda: engine.spawn_worker(limits), "def f():\n    while True: pass\n", "answer.py", limits)
    answer = candidate.ask(Call(0, "f", None, [], {}), [])
    assert answer.problem == Problem("cpu", {"signal": "SIGXCPU"})


def test_a_worker_that_does_not_start_is_not_the_learners_fault(grade, square, engine, monkeypatch):
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: f"{engine.home}/missing")
    report = grade(SQUARE, square)
    assert report.verdict == "could not check"
    message = describe(report.tests[0].problem, "en")
    assert "the judge itself failed, which is not your fault: a worker does not start; it said: " in message
    assert f"No such file or directory: '{engine.home}/missing'" in message


# When it takes too long


@pytest.fixture
def timed(engine):
    """timed(exercise, source): what a tester finds out in a second."""

    def timed(exercise, source):
        engine.tester(exercise)
        job = engine.job(exercise, "answer.py", source, False, False, False)
        return engine.run(exercise, msgspec.structs.replace(job, seconds=1.0))

    return timed


def test_what_the_time_for_a_file_does_not_suffice_for_is_not_run(timed, author):
    tests = "\n\n".join(f"def test_{i}(check):\n    check('square', 1.0, returns=2.0)" for i in range(6))
    report = timed(author(grader=tests), "import time\n\ndef square(x):\n    time.sleep(0.4)\n    return 2.0\n")
    assert report.results[0].verdict == "passed"
    assert [test.verdict for test in report.results[3:]] == ["failed"] * 3
    assert {describe(test.problem, "en") for test in report.results[3:]} == {
        "not run: the time for this file was used up by earlier tests"
    }


def test_a_grader_that_never_ends_is_not_waited_for(timed, author):
    exercise = author(grader="def test_one(check):\n    while check.candidate: pass\n")
    with pytest.raises(CannotCheck, match="the tester died; run the grader with pytest to see why"):
        timed(exercise, SQUARE)


# All at once


def test_four_at_once_are_graded_as_one_by_one(grade, solution, square):
    sources = [
        solution,
        solution.replace("+ eps", ""),
        "import os; os._exit(0)",
        solution.replace("rsqrt", "sqrt"),
        "def (",
    ]
    jobs = [(source, {}) for source in sources * 2] + [(SQUARE, {"exercise": square})] * 2

    def run(job):
        source, options = job
        report = grade(source, **options)
        report.seconds = 0.0
        return msgspec.json.encode(report)

    alone = [run(job) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, jobs)) == alone
