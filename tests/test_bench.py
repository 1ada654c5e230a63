"""`cloze bench` as a user types it: counted, predicted, and measured where there is a device."""

import contextlib
import json
import textwrap
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

from clozekit import blanks
from clozekit.catalog import Catalog, builtin_root
from clozekit.cli import main
from clozekit.errors import CannotCheck
from clozekit.exercise import LANGUAGES, Exercise
from clozekit.meters.callstring import parse
from clozekit.protocol import Measured
from clozekit.racing import measure as measured_by_referee
from clozekit.report import Problem
from clozekit.submission import Upload


@pytest.fixture
def cloze(engine, monkeypatch, tmp_path):
    """cloze("meter", "x.py", ...) in an empty directory, with the processes of the warm judge."""
    monkeypatch.setattr("clozekit.processes.Processes", lambda: contextlib.nullcontext(engine))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLOZE_LANG", "en")
    return lambda *arguments: CliRunner().invoke(main, list(map(str, arguments)))


def test_bench_shows_yours_the_bar_and_why(cloze, tmp_path):
    exercise = Exercise(builtin_root(), "triton/fused_softmax")
    (tmp_path / "answer.py").write_text(exercise.mistaken(exercise.mistakes["loads_the_row_again"]))
    result = cloze("bench", "answer.py", "--exercise", exercise.id, "--html", "page.html")
    assert result.exit_code == 1, result.output
    assert "8,192,000" in result.output
    assert exercise.sheet.en.thresholds["loads"] in result.output
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")  # it needs no network
    for drawing in page.split("<svg")[1:]:
        ET.fromstring("<svg" + drawing.partition("</svg>")[0] + "</svg>")


def test_bench_of_the_solution_passes(cloze, tmp_path):
    exercise = Exercise(builtin_root(), "triton/fused_softmax")
    (tmp_path / "answer.py").write_text(textwrap.dedent(blanks.reveal(exercise.solution)))
    result = cloze("bench", "answer.py", "--exercise", exercise.id)
    assert result.exit_code == 0, result.output


def test_bench_of_an_exercise_without_kernels(cloze, tmp_path):
    (tmp_path / "answer.py").write_text("")
    result = cloze("bench", "answer.py", "--exercise", "normalization/rms_norm")
    assert result.exit_code == 2
    assert "name one: --call" in result.output


SLOW = Measured("failed", 3.0, 2.9, 3.1, 24, 40.0, 120.0, Problem("speed-slow", {"yours": "3.00", "bar": "2"}))
CLOSE = Measured("undecided", 2.0, 1.9, 2.1, 320, 40.0, 80.0, Problem("speed-close", {"yours": "2.00", "bar": "2"}))
MEASURED = {
    "passed": (Measured("passed", 1.02, 1.01, 1.04, 24, 41.2, 42.1), 0, "42.1 µs, ours 41.2 µs, ratio 1.02 (1.01–1.04"),
    "failed": (SLOW, 1, "yours takes 3.00 times as long"),
    "undecided": (CLOSE, 0, "too near to the 2"),
    "could not check": (Measured.impossible(CannotCheck("no CUDA device")), 3, "could not be measured: no CUDA device"),
}


@pytest.fixture
def gpu(monkeypatch):
    """gpu(measured): a machine with a GPU, on which every call is measured like that."""

    def gpu(measured):
        monkeypatch.setattr("clozekit.bench.nvml.devices", lambda: 1)
        monkeypatch.setattr("clozekit.racing.measure", lambda *_: measured)

    return gpu


@pytest.mark.parametrize("verdict", MEASURED)
def test_bench_tells_what_was_measured(verdict, cloze, tmp_path, gpu):
    """And why a time has a bar. Undecided decides nothing: the counts then do, and they pass."""
    measured, status, text = MEASURED[verdict]
    gpu(measured)
    exercise = Exercise(builtin_root(), "triton/fused_softmax")
    (tmp_path / "answer.py").write_text(blanks.reveal(exercise.solution))
    options = ("--call", "softmax(float32[64, 100])", "--json", "out.json", "--html", "page.html")
    result = cloze("bench", "answer.py", "--exercise", exercise.id, "--device", "cuda", *options)
    assert result.exit_code == status, result.output
    assert text in result.output
    assert (exercise.sheet.en.thresholds["time"] in result.output) == (verdict == "failed")
    assert text in (tmp_path / "page.html").read_text("utf-8")
    report = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert (report["schema"], report["exercise"]) == (1, exercise.id)
    (call,) = report["calls"]
    assert call["call"] == "softmax(float32[64, 100])"
    assert {"name": "launches", "value": 1, "bar": 1.0, "verdict": "passed"} in call["meters"]
    assert call["predicted"].keys() == {"yours_microseconds", "ours_microseconds", "eager_microseconds"}
    found = call["measured"]
    assert (found["verdict"], found["ratio"], found["pairs"]) == (verdict, measured.ratio, measured.pairs)
    assert bool(found["why"]) == (verdict != "passed")


def test_without_a_device_nothing_is_measured(cloze, tmp_path):
    exercise = Exercise(builtin_root(), "triton/fused_softmax")
    (tmp_path / "answer.py").write_text(blanks.reveal(exercise.solution))
    options = ("--call", "softmax(float32[64, 100])", "--json", "-")
    result = cloze("bench", "answer.py", "--exercise", exercise.id, *options)
    assert result.exit_code == 0, result.output
    (call,) = json.loads(result.stdout)["calls"]
    assert call["measured"] is None
    assert {meter["name"] for meter in call["meters"]} == {"launches", "loads", "stores", "stack"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_bench_on_a_gpu_where_there_is_none(cloze, tmp_path, monkeypatch, lang):
    def none():
        raise CannotCheck("no NVIDIA driver")

    monkeypatch.setattr("clozekit.bench.nvml.devices", none)
    (tmp_path / "answer.py").write_text("")
    result = cloze("bench", "answer.py", "--exercise", "triton/fused_softmax", "--device", "cuda", "--lang", lang)
    assert result.exit_code == 3
    assert len(result.output.splitlines()) == 1
    assert "`cloze doctor`" in result.output


@pytest.mark.parametrize(
    ("exercise", "device", "right"), [("fused_softmax", "cpu", "cuda"), ("rms_norm", "cuda", "cpu")]
)
def test_kernels_are_measured_on_gpus_and_torch_on_processors(cloze, tmp_path, exercise, device, right):
    (tmp_path / "answer.py").write_text("")
    id = f"{'triton' if right == 'cuda' else 'normalization'}/{exercise}"
    result = cloze("bench", "answer.py", "--exercise", id, "--device", device)
    assert result.exit_code == 2
    assert f"--device {right}" in result.output


def test_torch_is_measured_on_this_processor(cloze, tmp_path, solution):
    """Really: the referee, two workers, the clock. That the solution is slower than twice itself, nothing can make of it."""
    (tmp_path / "answer.py").write_text(solution)
    call = "rms_norm(float32[32, 64], float32[64], 1e-6)"
    options = ("--device", "cpu", "--call", call, "--json", "-")
    result = cloze("bench", "answer.py", "--exercise", "normalization/rms_norm", *options)
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["calls"]
    assert found["measured"]["verdict"] in ("passed", "undecided")


def test_who_breaks_a_rule_is_not_measured(engine, rms_norm):
    """The fastest answer is the library's."""
    source = (
        "import torch\n\ndef rms_norm(x, weight, eps=1e-6):\n    return torch.rms_norm(x, weight.shape, weight, eps)\n"
    )
    found = measured_by_referee(
        engine, rms_norm, Upload("file.py", source.encode()), parse("rms_norm(float32[4, 8], float32[8])"), "cpu"
    )
    assert (found.verdict, found.why.kind) == ("failed", "CZ001")


@pytest.mark.parametrize("id", [exercise.id for exercise in Catalog([builtin_root()]) if exercise.track == "triton"])
def test_every_kernel_has_calls_of_full_size_to_show(id):
    """Wherever in test_costs they are written."""
    assert Exercise(builtin_root(), id).costs
