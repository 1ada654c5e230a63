"""cloze grade --executor ray, on a real cluster of two nodes on this machine: what the nodes say is what this machine says."""

import itertools
import os
import shutil
import tempfile
import textwrap

import pytest

from clozekit.catalog import Catalog
from clozekit.classroom.handed import Handed
from clozekit.classroom.judging import Judging
from clozekit.classroom.running import ClassRun
from clozekit.classroom.store import Store
from clozekit.engine import Engine

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'clozekit[ray]'")
from clozekit.classroom import on_ray  # noqa: E402

RIGHT = "def square(x, scale=2.0):\n    return scale * x * x\n"
WRONG = "def square(x, scale=2.0):\n    return scale * x\n"
FILES = 24


@pytest.fixture(scope="module")
def cluster():
    """A head that grades nothing, and two nodes of one processor."""
    from ray.cluster_utils import Cluster

    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    folder = tempfile.mkdtemp(prefix="ray")  # short: Ray's sockets are in it
    patch.setenv("RAY_TMPDIR", folder)
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    made.nodes = [made.add_node(num_cpus=1) for _ in range(2)]
    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()
    patch.undo()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def course(author):
    """lab/square, of one hidden case and one that is visible."""
    grader = """\
        import pytest


        def test_plain(check):
            check("square", 3.0, 2.0, returns=18.0)


        @pytest.mark.hidden
        def test_large(check):
            check("square", 4.0, 0.5, returns=8.0)
        """
    return Catalog([author(grader=textwrap.dedent(grader), seconds=0.5).root])


@pytest.fixture
def files(tmp_path):
    """Every other one is right."""
    found = []
    for number in range(FILES):
        path = tmp_path / f"{number:02}/lab/square.py"
        path.parent.mkdir(parents=True)
        path.write_text(f"{WRONG if number % 2 else RIGHT}# {number}\n")
        found.append(Handed(f"{number:02}", "lab/square", "lab/square.py", path))
    return found


@pytest.fixture
def run(engine, course, tmp_path):
    """run(files, told=…): lines by file, graded on the cluster; told hears of each."""
    judging = Judging(engine, course, "en", "visible")
    stores = itertools.count()

    def run(files, told=lambda line: None, executor=None):
        complaints, lines = [], []

        def hears(line):
            lines.append(line)
            told(line)

        with Store(f"sqlite:///{tmp_path}/store{next(stores)}.db") as store:
            place = executor or on_ray.on_ray(judging, course.roots, complaints.append)
            with place as where:
                ClassRun(judging, store).run(files, where, hears)
            assert sorted(store.lines(), key=str) == sorted(lines, key=str)
        return {line["student"]: line for line in lines}, complaints

    run.judging = judging
    return run


def timeless(lines):
    return {student: {**line, "seconds": 0} for student, line in lines.items()}


def test_the_nodes_say_what_this_machine_says(cluster, run, files):
    from clozekit.classroom.executors import local

    there, complaints = run(files)
    here, _ = run(files, executor=local(run.judging, 2))
    assert timeless(there) == timeless(here)
    assert len(there) == FILES
    assert [there[f"{number:02}"]["verdict"] for number in range(2)] == ["passed", "failed"]
    assert not complaints


def test_a_class_survives_a_node(cluster, run, files):
    """Killed, not asked to leave, while it grades: its jobs go to the other, and every file has one line."""
    told = []

    def kill(line):
        told.append(line["student"])
        if len(told) == 3:
            cluster.remove_node(cluster.nodes.pop(), allow_graceful=False)

    lines, _ = run(files, kill)
    cluster.nodes.append(cluster.add_node(num_cpus=1))
    assert sorted(told) == sorted(lines) == [f"{number:02}" for number in range(FILES)]
    assert {line["verdict"] for line in lines.values()} == {"passed", "failed"}


def test_a_file_that_ends_its_judges_is_tried_three_times(cluster, run, files, monkeypatch):
    class Fragile(on_ray.Judge):
        def judge(self, job):
            if b"# 5" in job.upload.raw:
                os._exit(1)
            return super().judge(job)

    monkeypatch.setattr(on_ray, "Judge", Fragile)
    lines, _ = run(files[:12])
    verdicts = {student: line["verdict"] for student, line in lines.items()}
    assert verdicts.pop("05") == "could not check"
    assert "3 judges were lost while they graded this file" in lines["05"]["message"]
    assert {*verdicts.values()} == {"passed", "failed"}  # it took none of its neighbours along


def test_a_node_that_would_grade_by_something_else_is_left_out(cluster, run, files, monkeypatch):
    """Here all do: nobody is left to judge, and that is said, with the reason."""

    class Other(on_ray.Judge):
        def __init__(self, seed, *rest):
            super().__init__(seed + 1, *rest)

    monkeypatch.setattr(on_ray, "Judge", Other)
    said = []
    with pytest.raises(on_ray.CannotCheck, match="no node of the Ray cluster can judge"):
        run(files, executor=on_ray.on_ray(run.judging, [], said.append))
    # not [0]: a node may be lost meanwhile, which is said as well
    assert any("is left out: it grades by other things than this machine: " in line for line in said)


def test_where_nothing_starts_the_reason_is_told(cluster, run, files, tmp_path):
    said = []
    with pytest.raises(on_ray.CannotCheck), on_ray.on_ray(run.judging, [tmp_path / "gone"], said.append) as place:
        place[0](None).result()
    assert "contents.toml" in said[0]


def test_a_judge_that_shares_its_machine_pins_no_processor(cluster):
    judge = on_ray.Judge(1, [], ("en", "visible"), None, 1)
    try:
        assert judge.judging.free.get() is None or len(os.sched_getaffinity(0)) == 1
    finally:
        judge.close()
    assert isinstance(judge.engine, Engine)
