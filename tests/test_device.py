"""`--device`: answers computed on a GPU, with a stub for the GPU. What a real one does, tests/bench/test_gpu.py looks at."""

import contextlib
import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from clozekit import blanks, processes
from clozekit.catalog import builtin_root
from clozekit.cli import main
from clozekit.describe import describe, next_step
from clozekit.exercise import LANGUAGES, Exercise
from clozekit.grading.evidence import SOLUTION
from clozekit.submission import Upload

STUBS = Path(__file__).parent / "stubs"
ADD = Exercise(builtin_root(), "triton/vector_add")
RIGHT = blanks.reveal(ADD.solution)
STORE = "    tl.store(z_ptr + place, x + y, mask=inside)"
# The first element of the next block, which its own program stores as well; the interpreter's last one to do so is right.
BEFORE = "    tl.store(z_ptr + place + BLOCK, x, mask=(place + BLOCK < n) & (tl.arange(0, BLOCK) == 0))\n"


@pytest.fixture
def device(engine, monkeypatch, tmp_path):
    """device(source): the report on a file whose kernels also run on the stub, up to the first test that fails."""
    monkeypatch.setattr(processes, "BENCH", "bench_of_programs")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(STUBS), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / SOLUTION).write_text(RIGHT)

    def device(source: str, exercise: Exercise = ADD):
        (tmp_path / "answer.py").write_text(source)
        upload = Upload("answer.py", source.encode())
        return engine.grade(exercise, upload, device="cuda", stop_at_first=True, diagnose=False)

    return device


def test_the_solution_is_right_on_a_device_too(device):
    report = device(RIGHT)
    assert (report.verdict, report.problem) == ("passed", None)


@pytest.fixture
def wasteful(tmp_path):
    """vector_add where more may be written than there is: its own bar refuses this race before a device has to."""
    copy = Exercise(tmp_path / "content", ADD.id)
    for name in ("words_path", "solution_path", "grader_path"):
        getattr(copy, name).parent.mkdir(parents=True)
        shutil.copy(getattr(ADD, name), getattr(copy, name))
    words = copy.words_path.read_text("utf-8")
    copy.words_path.write_text(words.replace("stores = 1\nsectors = 1.25\n", "stores = 2\nsectors = 2\n"), "utf-8")
    return copy


@pytest.mark.parametrize("language", LANGUAGES)
def test_programs_that_overwrite_each_other_are_refused(device, grade, wasteful, language):
    assert STORE in RIGHT
    racing = RIGHT.replace(STORE, BEFORE + STORE)
    if language == LANGUAGES[0]:
        assert grade(racing, wasteful, diagnose=False).verdict == "passed"
    report = device(racing, wasteful)
    refused = report.tests[-1]
    assert (refused.name, refused.problem.kind) == ("values: many blocks", "device-order")
    assert "add(float32[1500], float32[1500])" in describe(refused.problem, language)
    assert next_step(refused.problem, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_access_that_the_device_stops_is_refused(device, language):
    report = device(RIGHT + "# DEVICE: illegal\n")
    problem = report.tests[0].problem
    assert (report.verdict, problem.kind) == ("failed", "device-fault")
    assert "an illegal memory access was encountered (700)" in describe(problem, language)
    assert next_step(problem, language)


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("dies", "the device was lost while kernels ran"),
        ("full", "CUDA out of memory"),
    ],
)
def test_what_no_kernel_does_is_nobodys_fault(device, does, why):
    report = device(RIGHT + f"# DEVICE: {does}\n")
    assert report.verdict == "could not check"
    assert {test.verdict for test in report.tests if not test.name.startswith("costs")} == {"could not check"}
    assert why in describe(report.tests[0].problem, "en")


def test_a_kernel_that_never_ends_is_refused_and_its_process_ended(device, wasteful, tmp_path):
    words = wasteful.words_path.read_text("utf-8")
    wasteful.words_path.write_text(words.replace("seconds = 10", "seconds = 4"), "utf-8")
    report = device(RIGHT + "# DEVICE: hangs\n", wasteful)
    problem = report.tests[0].problem
    assert (report.verdict, problem.kind, problem.facts["seconds"]) == ("failed", "device-timeout", "4")
    first, second = (int(path.read_text()) for path in sorted(tmp_path.glob("started-*")))
    for process in (first, second):  # of which the other one ran the solution
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_where_the_solution_fails_as_well_nobody_is_blamed(device, tmp_path):
    (tmp_path / SOLUTION).write_text(RIGHT + "# DEVICE: illegal\n")
    report = device(RIGHT + "# DEVICE: illegal\n")
    assert report.verdict == "could not check"
    said = describe(report.tests[0].problem, "en")
    assert "the solution fails on this device as well: on the GPU a kernel was stopped: an illegal" in said


def test_a_device_that_does_not_start_is_tried_once(device, tmp_path):
    (tmp_path / "missing").touch()
    report = device(RIGHT)
    assert report.verdict == "could not check"
    assert "no CUDA device 0" in describe(report.tests[0].problem, "en")
    assert list(tmp_path.glob("started-*")) == [tmp_path / "started-1"]


@pytest.mark.parametrize(
    ("mark", "status", "said"),
    [("", 0, "passed"), ("# DEVICE: illegal\n", 1, "stopped"), ("# DEVICE: dies\n", 3, "lost")],
)
def test_check_as_a_user_types_it(device, engine, monkeypatch, tmp_path, mark, status, said):
    monkeypatch.setattr("clozekit.engine.Engine", lambda seed=None: contextlib.nullcontext(engine))
    monkeypatch.setattr("clozekit.bench.nvml.devices", lambda: 1)
    (tmp_path / "answer.py").write_text(RIGHT + mark)
    command = ["check", str(tmp_path / "answer.py"), "--exercise", ADD.id, "--device", "cuda", "--lang", "en"]
    done = CliRunner().invoke(main, [*command, "--json", str(tmp_path / "report.json")])
    assert done.exit_code == status, done.output
    assert said in done.output
    report = json.loads((tmp_path / "report.json").read_text())
    plain = {
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
    }
    assert report.keys() - {"message"} == plain
