"""`--device cuda` on a CUDA device: workers and bench processes as they are, with all that a driver does."""

import shutil

import pytest
import torch

from clozekit import blanks
from clozekit.catalog import builtin_root, open_catalog
from clozekit.describe import describe
from clozekit.exercise import Exercise
from clozekit.submission import Upload

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
EXERCISES = [exercise.id for exercise in open_catalog(())]
ADD = Exercise(builtin_root(), "triton/vector_add")

# The interpreter's programs run in turn, so that `order` is that of the grid; of 750 programs on a GPU it never is.
IN_TURN = """
import torch
import triton
import triton.language as tl


@triton.jit
def add_kernel(z_ptr, x_ptr, y_ptr, count_ptr, n, BLOCK: tl.constexpr):
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = place < n
    x, y = tl.load(x_ptr + place, mask=inside, other=0.0), tl.load(y_ptr + place, mask=inside, other=0.0)
    order = tl.atomic_add(count_ptr, 1)
    late = tl.where(order == tl.program_id(0), 0, 1)
    {body}
    tl.store(z_ptr + place, x + y, mask=inside)


def add(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    x, y = x.contiguous(), y.contiguous()
    z = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    count = torch.zeros(2, dtype=torch.int32, device=x.device)
    add_kernel[(triton.cdiv(z.numel(), 2),)](z, x, y, count, z.numel(), BLOCK=2)
    return z
"""
WRONG = {
    "in any other order": ("x += late", "device-order"),
    "far outside": ("tl.store(z_ptr + place + late.to(tl.int64) * (1 << 40), x, mask=inside)", "device-fault"),
    "for ever": ("while late > 0:\n        late += tl.atomic_add(count_ptr + 1, 0)", "device-timeout"),
}


@pytest.fixture
def lax(tmp_path):
    """vector_add at any cost, its longest case alone."""
    copy = Exercise(tmp_path, ADD.id)
    for name in ("words_path", "solution_path", "grader_path"):
        getattr(copy, name).parent.mkdir(parents=True)
        shutil.copy(getattr(ADD, name), getattr(copy, name))
    words, bars = copy.words_path.read_text("utf-8"), "launches = 1\nloads = 1\nstores = 1\nsectors = 1.25\nstack = 1\n"
    assert bars in words
    free = "launches = inf\nloads = inf\nstores = inf\nsectors = inf\nstack = inf\n"
    copy.words_path.write_text(words.replace(bars, free), "utf-8")
    grader = copy.grader_path.read_text("utf-8")
    first, last = grader.index("CASES = {"), grader.index("@reference(")
    case = "def test_many_blocks(check):\n    check('add', torch.randn(1500), torch.randn(1500))\n\n\n"
    copy.grader_path.write_text(grader[:first] + case + grader[last:], "utf-8")
    return copy


@pytest.fixture
def judged(engine):
    """judged(source, exercise, device): the report on a file, as far as the first test that fails."""

    def judged(source: str, exercise: Exercise, device: str | None = "cuda"):
        upload = Upload("answer.py", source.encode())
        return engine.grade(exercise, upload, device=device, diagnose=False, stop_at_first=True)

    return judged


@pytest.mark.parametrize("name", WRONG)
def test_on_the_processor_nothing_is_wrong_with_them(name, judged, lax):
    report = judged(IN_TURN.format(body=WRONG[name][0]), lax, device=None)
    assert (report.verdict, [describe(test.problem, "en") for test in report.tests if test.problem]) == ("passed", [])


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize("name", WRONG)
def test_what_only_a_device_shows_is_refused_and_the_judge_goes_on(name, judged, lax):
    body, kind = WRONG[name]
    report = judged(IN_TURN.format(body=body), lax)
    assert (report.verdict, report.tests[0].problem.kind) == ("failed", kind)
    assert judged(blanks.reveal(ADD.solution), ADD).verdict == "passed"


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize("name", EXERCISES)
def test_solutions_pass_on_a_device(name, judged):
    exercise = Exercise(builtin_root(), name)
    report = judged(blanks.reveal(exercise.solution), exercise)
    problems = [f"{test.name}: {describe(test.problem, 'en')}" for test in report.tests if test.problem]
    assert (report.verdict, problems, report.problem) == ("passed", [], None)


RMS = "import torch\n\ndef rms_norm(x, weight, eps=1e-6):\n    {body}\n    return x / x.pow(2).mean(-1, keepdim=True).sqrt()\n"
BODIES = {
    "another tensor elsewhere": ("x = x * torch.ones(x.shape[-1])", "failed", "devices"),
    "the answer elsewhere": ("return x.cpu()", "failed", "device"),
    "an index outside": ("x[torch.full((1,), 10**6, device=x.device)]", "failed", "raised"),
    "more than there is": ("torch.empty(1 << 44, device=x.device)", "could not check", "device-memory"),
}


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize("name", BODIES)
def test_what_goes_wrong_with_torch_is_told_and_the_judge_goes_on(name, judged, rms_norm, solution):
    body, verdict, kind = BODIES[name]
    report = judged(RMS.format(body=body), rms_norm)
    assert (report.verdict, report.tests[0].problem.kind) == (verdict, kind)
    assert judged(solution, rms_norm).verdict == "passed"
