"""What `cloze doctor` finds, and a check on a GPU where there is none."""

import json
import sys
import tempfile
from pathlib import Path

import pytest
import torch

from clozekit.errors import CannotCheck
from clozekit.exercise import LANGUAGES
from clozekit.protocol import Limits


def test_doctor_tries_a_worker(cloze, engine):
    found = json.loads(cloze("doctor", "--json").output)
    assert {"clozekit", "python", "platform", "torch", "triton", "pytest", "judge", "tier", "advice"} <= set(found)
    assert found["judge"] == "works"
    assert found["tier"] == engine.found.layers.tier
    assert "works" in cloze("doctor").output


def test_doctor_says_what_the_judge_misses_of_triton(cloze, engine, monkeypatch):
    monkeypatch.setitem(sys.modules, "clozekit.kernels.private", None)
    advice = json.loads(cloze("doctor", "--json").output)["advice"]
    assert any(line.startswith("kernels cannot be checked: ") and "clozekit.kernels.private" in line for line in advice)


def test_doctor_says_why_a_worker_does_not_start(cloze, engine, monkeypatch):
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: f"{engine.home}/missing")
    done = cloze("doctor", "--json")
    assert done.exit_code == 3
    assert json.loads(done.output)["judge"] == "does not work"
    assert "a worker does not start; it said: " in json.loads(done.output)["advice"][0]


@pytest.fixture
def answer(tmp_path, solution) -> Path:
    (tmp_path / "answer.py").write_text(solution)
    return tmp_path / "answer.py"


def no_gpu():
    raise CannotCheck("no NVIDIA driver")


def test_doctor_tells_of_no_gpu(cloze, monkeypatch):
    monkeypatch.setattr("clozekit.bench.nvml.devices", no_gpu)
    assert json.loads(cloze("doctor", "--json").output)["device"] == "none (no NVIDIA driver)"


def test_doctor_tries_a_gpu_in_a_worker(cloze, engine, monkeypatch):
    """A worker that is asked to use a GPU does so before it listens; one that is not, starts on any machine."""
    monkeypatch.setattr("clozekit.bench.nvml.devices", lambda: 2)
    if not torch.cuda.is_available():
        found = json.loads(cloze("doctor", "--json").output)["device"]
        assert found.startswith("cuda, 2, which no worker can use (a worker does not start; it said: ")
    monkeypatch.setattr(engine, "spawn_worker", lambda limits, spawn=engine.spawn_worker: spawn(Limits()))
    assert json.loads(cloze("doctor", "--json").output)["device"] == "cuda, 2"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_check_on_a_gpu_where_there_is_none(cloze, answer, monkeypatch, lang):
    monkeypatch.setattr("clozekit.bench.nvml.devices", no_gpu)
    done = cloze("check", answer, "--exercise", "normalization/rms_norm", "--device", "cuda", "--lang", lang)
    assert done.exit_code == 3
    assert len(done.output.splitlines()) == 1
    assert "no NVIDIA driver" in done.output
    assert "`cloze doctor`" in done.output


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_check_on_a_gpu_that_no_worker_can_use(cloze, answer, monkeypatch, lang):
    """The driver knows of one, and torch was built without CUDA."""
    monkeypatch.setattr("clozekit.bench.nvml.devices", lambda: 1)
    done = cloze("check", answer, "--exercise", "normalization/rms_norm", "--device", "cuda", "--lang", lang)
    assert done.exit_code == 3
    assert "cuda cannot be used: " in done.output
    assert "Traceback" not in done.output
    assert "`cloze doctor`" in done.output
