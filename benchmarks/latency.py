"""How long a learner waits: ten tests of rms_norm on a warm judge, beside a cold pytest of the same tests.

    python benchmarks/latency.py [ROUNDS]

Both judge the same file in the same run, in turns, so that they see the same machine. A cold pytest is what most kits do: a
new process that imports torch, the submission and the grader, without any isolation.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clozekit import blanks, submission
from clozekit.catalog import builtin_root
from clozekit.engine import Engine
from clozekit.exercise import Exercise

TESTS = 10
CONTENTS = """\
[[track]]
name = "normalization"
title = { en = "Normalization", zh = "归一化" }
[track.exercises]
rms_norm = { difficulty = 1 }
"""
COLD = """\
import pytest
import torch
from submission import rms_norm


@pytest.mark.parametrize("size", range(8, 8 + {tests}))
def test_values(size):
    x, weight = torch.randn(3, size), torch.rand(size)
    torch.testing.assert_close(rms_norm(x, weight, 1e-6), torch.nn.functional.rms_norm(x, (size,), weight, 1e-6))
"""
GRADER = """\
import pytest
import torch

from clozekit.grading import reference


@pytest.mark.parametrize("size", range(8, 8 + {tests}))
def test_values(check, size):
    check("rms_norm", torch.randn(3, size), torch.rand(size), 1e-6)


@reference("rms_norm", compute=torch.float32)
def definition(x, weight, eps=1e-6):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * weight
"""


def course(root: Path) -> Exercise:
    """A content root with the ten tests, and cold/, where a pytest of the same tests runs."""
    exercise = Exercise(builtin_root(), "normalization/rms_norm")
    for path, text in (
        ("exercises/contents.toml", CONTENTS),
        ("exercises/normalization/rms_norm.toml", exercise.words_path.read_text()),
        ("solutions/normalization/rms_norm.py", exercise.solution),
        ("graders/normalization/test_rms_norm.py", GRADER.format(tests=TESTS)),
        ("cold/submission.py", blanks.reveal(exercise.solution)),
        ("cold/test_rms_norm.py", COLD.format(tests=TESTS)),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Exercise(root, exercise.id)


def cold_pytest(root: Path) -> float:
    """How long it takes."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_rms_norm.py"]
    subprocess.run(command, cwd=root / "cold", check=True, capture_output=True)
    return time.perf_counter() - began


def tell(times: dict[str, list[float]]) -> None:
    """Of several ways to judge the same file: percentiles, and how many times as long as the first the last takes."""
    for name, each in times.items():
        ordered = sorted(each)
        p95 = ordered[int(0.95 * (len(ordered) - 1))]
        middle = statistics.median(each)
        print(f"{name:14} {TESTS} tests   p50 {1e3 * middle:7.1f} ms   p95 {1e3 * p95:7.1f} ms   n {len(each)}")
    first, *_, last = map(statistics.median, times.values())
    print(f"ratio of the medians {last / first:.1f}")


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, Engine() as engine:
        root = Path(folder)
        ours = course(root)
        taken = submission.read(root / "cold/submission.py")
        began = time.perf_counter()
        assert engine.grade(ours, taken).verdict == "passed"
        print(f"first report, from nothing      {time.perf_counter() - began:7.3f} s")
        warm, cold = [], []
        for _ in range(rounds):
            for _ in range(10):
                began = time.perf_counter()
                assert engine.grade(ours, taken).verdict == "passed"
                warm.append(time.perf_counter() - began)
            cold.append(cold_pytest(root))
    tell({"warm judge": warm, "cold pytest": cold})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
