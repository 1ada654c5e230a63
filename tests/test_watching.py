"""What becomes of a save: the last one is graded, whatever was going on before, and the judge is none the worse for it."""

import os
import queue
import shutil
import textwrap
import threading

import msgspec
import pytest

from clozekit import submission
from clozekit.catalog import Catalog
from clozekit.engine import Engine
from clozekit.errors import CannotCheck
from clozekit.protocol import Limits
from clozekit.skeleton import write_skeleton
from clozekit.spare import Spare
from clozekit.watching import Began, Failed, Target, Told, Watching
from clozekit.wire import Stop, Stopped

ID = "normalization/rms_norm"
HANGS = "import torch\nwhile True:\n    pass\n"
DEADLINE = 120


@pytest.fixture
def spare(engine):
    with Spare(engine) as spare:
        yield spare


@pytest.fixture
def watched(engine, spare, rms_norm, tmp_path):
    """watched(): a running Watching of two files, told of in `news`; they lie in folders of their own."""
    news: queue.Queue = queue.Queue()
    targets = [Target(tmp_path / f"work/{name}/answer.py", ID) for name in ("one", "two")]
    for target in targets:
        target.path.parent.mkdir(parents=True)
        target.path.write_text("raise NotImplementedError\n")
    with Watching(engine, spare, Catalog([rms_norm.root]), targets, news.put) as watching:
        watching.news, (watching.one, watching.two) = news, (target.path for target in targets)
        yield watching


def answer(watching):
    """The next report or complaint."""
    while isinstance(news := watching.news.get(timeout=DEADLINE), Began):
        pass
    return news


def began(watching):
    assert isinstance(watching.news.get(timeout=DEADLINE), Began)


def verdict(watching) -> str:
    return answer(watching).report.verdict


# Saves


def test_a_save_is_graded_and_said_to_be_one(watched, solution):
    watched.one.write_text(solution)
    told = answer(watched)
    assert (told.target.path, told.report.verdict, told.saved) == (watched.one, "passed", True)


def test_a_look_is_graded_without_a_save(watched):
    watched.look(watched.two)
    told = answer(watched)
    assert (told.target.path, told.report.verdict, told.saved) == (watched.two, "failed", False)


def test_only_the_last_of_many_saves_is_told(watched, solution):
    watched.one.write_text(HANGS)
    began(watched)
    for i in range(20):
        watched.one.write_text(f"{HANGS}# {i}\n")
    watched.one.write_text(solution)
    assert verdict(watched) == "passed"
    assert watched.news.empty()


def test_a_save_ends_the_grading_of_another_file(until, watched, spare, solution, engine):
    watched.one.write_text(HANGS)
    began(watched)
    watched.two.write_text(solution)
    told = answer(watched)
    assert (told.target.path, told.report.verdict) == (watched.two, "passed")
    until(lambda: spare.ready and len(os.listdir(engine.home)) == 1)  # of the worker that waits for the next save


def test_an_editor_may_save_by_putting_another_file_in_its_place(watched, solution):
    for _ in range(2):
        draft = watched.one.with_name(".answer.py.swp")
        draft.write_text(solution)
        os.rename(watched.one, watched.one.with_name("answer.py~"))
        os.rename(draft, watched.one)
        assert verdict(watched) == "passed"


def test_a_file_that_is_gone_is_told_and_graded_when_it_is_back(watched, solution):
    watched.one.write_text(solution)
    assert verdict(watched) == "passed"
    watched.one.unlink()
    failed = answer(watched)
    assert (failed.problem.kind, failed.problem.facts) == ("file-gone", {"file": str(watched.one)})
    watched.one.write_text(solution)
    assert verdict(watched) == "passed"


def test_that_another_file_goes_away_is_nobodys_business(watched, solution):
    watched.one.write_text(solution)
    assert verdict(watched) == "passed"
    watched.two.unlink()
    watched.one.write_text(solution + "\n")
    assert answer(watched).target.path == watched.one


def test_a_folder_may_go_and_come_back(watched, solution):
    watched.look(watched.one)
    assert verdict(watched) == "failed"
    shutil.rmtree(watched.one.parent)
    assert answer(watched).problem.kind == "file-gone"
    watched.one.parent.mkdir()
    watched.one.write_text(solution)
    assert verdict(watched) == "passed"
    watched.one.write_text("def (")
    assert verdict(watched) == "failed"


def test_a_change_of_mode_is_no_save(watched, solution):
    watched.one.chmod(0o600)
    watched.two.write_text(solution)
    assert answer(watched).target.path == watched.two
    assert watched.news.empty()


def test_a_folder_in_place_of_the_file_is_told(watched):
    watched.one.unlink()
    watched.one.mkdir()
    watched.look(watched.one)
    assert answer(watched).problem.facts["reason"] == "Is a directory"


def test_a_worker_that_died_while_it_waited_is_not_used(until, watched, spare, solution, engine):
    for _ in range(2):
        watched.one.write_text(solution)
        assert verdict(watched) == "passed"
        until(lambda: spare.ready)
        _, worker = spare.ready
        engine.reap(worker.pid, 0.0)
        until(lambda worker=worker: not worker.is_there())


def test_a_worker_that_may_spend_other_than_the_next_file_is_not_used(spare, engine):
    spare.prepare(Limits(call_seconds=1.0))
    [(_, waiting)] = [spare.ready]
    worker = spare.take(Limits(call_seconds=2.0))
    try:
        assert worker is not waiting
        assert os.listdir(engine.home) == [os.path.basename(worker.scratch)]
    finally:
        worker.discard()


def test_no_worker_is_prepared_once_nobody_waits_for_one(engine):
    with Spare(engine) as spare:
        spare.prepare(Limits())
        assert os.listdir(engine.home)
    spare.prepare(Limits())  # by a thread that had not finished
    assert not os.listdir(engine.home)


def test_nothing_is_told_once_it_is_closed(until, engine, spare, rms_norm, tmp_path):
    path, news = tmp_path / "answer.py", queue.Queue()
    path.write_text(HANGS)
    with Watching(engine, spare, Catalog([rms_norm.root]), [Target(path, ID)], news.put) as watching:
        watching.look(path)
        assert isinstance(news.get(timeout=DEADLINE), Began)
    until(lambda: not os.listdir(engine.home))
    assert news.empty()


@pytest.mark.parametrize(("since", "graded"), [(0.0, True), (float("inf"), False)])
def test_what_was_saved_while_the_watch_started_is_not_missed(
    engine, spare, rms_norm, solution, tmp_path, since, graded
):
    old, other, news = tmp_path / "old.py", tmp_path / "other.py", queue.Queue()
    old.write_text(solution)
    with Watching(engine, spare, Catalog([rms_norm.root]), [Target(old, ID), Target(other, ID)], news.put, since):
        if not graded:
            other.write_text(solution)
        assert news.get(timeout=DEADLINE).target.path == (old if graded else other)


def test_without_events_of_the_kernel_a_save_is_found_as_well(engine, spare, rms_norm, solution, tmp_path, monkeypatch):
    def refuses(*_: object, **__: object):
        raise OSError("the limit of watches is reached")

    monkeypatch.setattr("watchfiles.watch", refuses)
    path, news = tmp_path / "answer.py", queue.Queue()
    with Watching(engine, spare, Catalog([rms_norm.root]), [Target(path, ID)], news.put):
        path.write_text(solution)
        assert isinstance(news.get(timeout=DEADLINE), Began)


# Authors


def test_a_broken_exercise_is_told_and_a_mended_one_is_loaded_anew(engine, spare, tmp_path):
    write_skeleton(tmp_path, "lab/square")
    catalog, news = Catalog([tmp_path]), queue.Queue()
    exercise = catalog["lab/square"]
    path = tmp_path / "answer.py"
    path.write_text("def square(x, scale=2.0):\n    return scale * x * x\n")
    grader = exercise.grader_path.read_text()
    with Watching(engine, spare, catalog, [Target(path, "lab/square")], news.put) as watching:
        watching.news = news

        def look():
            watching.look(path)
            return answer(watching)

        assert look().report.verdict == "passed"
        exercise.grader_path.write_text("1 / 0\n")
        failed = look()
        assert isinstance(failed, Failed)
        assert failed.problem.kind == "grader"
        assert "ZeroDivisionError" in failed.problem.facts["error"]
        words = exercise.words_path.read_text()
        exercise.words_path.write_text("[")
        assert isinstance(look(), Failed)
        exercise.words_path.write_text(words)
        exercise.grader_path.write_text(
            grader + "\n\ndef test_new(check):\n    check('square', 1.0, 3.0, returns=3.0)\n"
        )
        told = look()
        assert isinstance(told, Told)
        assert (told.report.verdict, told.report.tests[-1].name) == ("passed", "new")


def test_only_the_current_exercise_has_a_tester(engine, spare, rms_norm, author, solution, tmp_path):
    other, news = author(), queue.Queue()
    targets = [Target(tmp_path / f"{each.name}.py", each.id) for each in (rms_norm, other)]
    for target in targets:
        target.path.write_text(solution)
    with Watching(engine, spare, Catalog([other.root, rms_norm.root]), targets, news.put) as watching:
        watching.news = news
        for target, exercise in zip(targets, (rms_norm, other), strict=True):
            watching.look(target.path)
            assert answer(watching).target == target
            assert list(engine.testers) == [str(exercise.grader_path)]


# The seam in the judge


class After(Stop):
    """Is set when it is waited for the n-th time."""

    def __init__(self, waits: int):
        super().__init__()
        self.waits = waits

    def __getattribute__(self, name: str):
        if name == "seen":
            self.waits -= 1
            if self.waits == 0:
                self.set()
        return super().__getattribute__(name)


def test_a_grading_can_be_ended_wherever_it_is_and_the_judge_stays_sound(engine, rms_norm):
    wrong = rms_norm.mistaken(rms_norm.mistakes["eps_outside_sqrt"])
    upload = submission.Upload("answer.py", wrong.encode())

    def grade(stop: Stop | None = None) -> bytes:
        report = engine.grade(rms_norm, upload, stop=stop)
        report.seconds = 0.0
        return msgspec.json.encode(report)

    whole, ended = grade(), 0
    while True:
        stop = After(2 * ended + 1)  # a wait looks at it twice: before and after
        try:
            result = grade(stop)
            break
        except Stopped:
            ended += 1
            assert os.listdir(engine.home) == []
        finally:
            stop.close()
    assert ended > 4
    assert result == whole == grade()


def test_what_a_grading_started_is_gone_when_it_was_ended(until, engine, bare, rms_norm, tmp_path):
    """Without a sandbox the submission can say that it runs, by a pipe in the file system."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    source = textwrap.dedent(f"""\
        import os, time
        with open({str(pipe)!r}, "w") as pipe:
            pipe.write(str(os.getpid()))
        while True:
            pass
        """)
    stop, caught = Stop(), []

    def grade():
        try:
            bare.grade(rms_norm, submission.Upload("answer.py", source.encode()), stop=stop)
        except Stopped as stopped:
            caught.append(stopped)

    thread = threading.Thread(target=grade)
    thread.start()
    pid = int(pipe.read_text())
    stop.set()
    thread.join(DEADLINE)
    stop.close()
    assert caught
    until(lambda: not os.path.exists(f"/proc/{pid}"))


def test_a_judge_may_be_closed_while_it_is_asked(rms_norm, solution):
    reports = []

    def grade():
        reports.append(judge.grade(rms_norm, submission.Upload("answer.py", HANGS.encode())).verdict)

    judge = Engine()
    thread = threading.Thread(target=grade)
    thread.start()  # it waits for torch, or for a tester, or for the file
    judge.close()
    thread.join(DEADLINE)
    assert reports == ["could not check"]
    with pytest.raises(CannotCheck, match="the judge was closed"):
        judge.spawn_worker(Limits())
