"""Plans run by the kernels alone; and what a forged one comes to."""

import linecache

import pytest
import torch

from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise
from clozekit.kernels import alone, replay
from clozekit.kernels.plan import Counts, Function, Launch, Plan, View
from clozekit.kernels.record import Recorder

KERNEL = """
    @triton.jit
    def kernel(y_ptr, x_ptr, n, B: tl.constexpr):
        i = tl.arange(0, B)
        tl.store(y_ptr + i, {value}, mask=i < n)

    def f(x):
        y = torch.empty_like(x)
        kernel[(1,)](y, x, x.numel(), B=8)
        return y
"""


NEIGHBOURS = """
    @triton.jit
    def kernel(y_ptr, n):
        i = tl.program_id(0)
        tl.store(y_ptr + i + 1, -1.0, mask=i + 1 < n)
        tl.store(y_ptr + i, i.to(tl.float32))

    def f(x):
        y = torch.empty_like(x)
        kernel[(x.shape[0], 1, 1)](y, x.shape[0])
        return y
"""


@pytest.mark.parametrize(("backwards", "answer"), [(False, [0, 1, 2, 3]), (True, [0, -1, -1, -1])])
def test_the_last_program_can_run_first(load, backwards, answer):
    x = torch.ones(4)
    module = load(NEIGHBOURS)
    with Recorder("submission.py", [x]) as recorder, torch.no_grad():
        script = recorder.finish(module.f(x))
    kernels = alone.load("".join(linecache.cache["submission.py"][2]), "submission.py")
    assert replay.run(script, [x], kernels, backwards)[0].tolist() == answer
    assert replay.run(script, [x], kernels)[0].tolist() == [0, 1, 2, 3]  # no trace of the other order is left


def test_backwards_is_every_program_once():
    grid = (2, 3, 2)
    programs = list(replay.reverse(grid))
    assert programs[0] == (1, 2, 1)
    assert programs[::-1] == sorted(programs)
    assert len(set(programs)) == len(programs) == 12


@pytest.fixture
def twice(load):
    """twice(source, x, other): what f(x) returns, and what its plan makes of `other` with the kernels alone."""

    def run(source: str, x: torch.Tensor, other: torch.Tensor):
        module = load(source)
        with Recorder("submission.py", [x]) as recorder, torch.no_grad():
            answer = module.f(x)
        text = "".join(linecache.cache["submission.py"][2])
        return answer, *replay.run(recorder.finish(answer), [other], alone.load(text, "submission.py"))

    return run


def test_the_same_launches_on_other_values(twice):
    answer, again, counts = twice(
        KERNEL.format(value="tl.load(x_ptr + i, mask=i < n) * 2"), torch.ones(5), torch.full((5,), 3.0)
    )
    assert answer.tolist() == [2.0] * 5
    assert again.tolist() == [6.0] * 5
    assert counts == Counts(load_bytes=20, store_bytes=20)


@pytest.mark.parametrize(
    "source",
    [
        # constants, however they came about, and helpers under other names
        """
        SCALE = tl.constexpr(torch.finfo(torch.float32).tiny * 0 + 2)
        def double(x):
            return x * SCALE
        helper = triton.jit(double)
        class Holder:
            @staticmethod
            @triton.heuristics({"B": lambda args: 8})
            @triton.jit
            def kernel(y_ptr, x_ptr, n, B: tl.constexpr):
                i = tl.arange(0, B)
                tl.store(y_ptr + i, helper(tl.load(x_ptr + i, mask=i < n)), mask=i < n)
        def f(x):
            y = torch.empty_like(x)
            Holder.kernel[(1,)](y, x, x.numel())
            return y
        """,
        # a kernel made by a function, with what it encloses
        """
        def make(scale):
            factor = tl.constexpr(scale)
            @triton.jit
            def kernel(y_ptr, x_ptr, n: tl.int32, B: tl.constexpr = 8):
                i = tl.arange(0, B)
                tl.store(y_ptr + i, tl.load(x_ptr + i, mask=i < n) * factor, mask=i < n)
            return kernel
        kernel = make(2)
        def f(x):
            y = torch.empty_like(x)
            kernel[(1,)](y, x, x.numel())
            return y
        """,
        # a function and a dtype as arguments, tuples, two definitions of one name
        """
        TWO = tl.constexpr(2)
        @triton.jit
        def act(x):
            return x
        @triton.jit
        def act(x):
            return x * TWO
        @triton.jit
        def kernel(y_ptr, x_ptr, sizes, ACT: tl.constexpr, T: tl.constexpr, B: tl.constexpr):
            i = tl.arange(0, B)
            x = tl.load(x_ptr + i, mask=i < sizes[0])
            tl.store(y_ptr + i, ACT(x.to(T)), mask=i < sizes[0])
        def f(x: torch.Tensor) -> torch.Tensor:
            y = torch.empty_like(x)
            kernel[(1,)](y, x, x.shape, act, tl.float32, B=8)
            return y
        """,
    ],
)
def test_styles_of_a_file(twice, source):
    answer, again, _ = twice(source, torch.ones(5), torch.full((5,), 3.0))
    assert answer.tolist() == [2.0] * 5
    assert again.tolist() == [6.0] * 5


@pytest.mark.parametrize(
    "value",
    [
        "tl.load(x_ptr + i, mask=i < n).handle",
        "helper.get_capture_scope()",
        "tl.core.builtins.open",
        "tl.core",
        "torch.softmax",
        "getattr(x_ptr, 'handle')",
        "tl.load.__globals__",
        "triton.runtime.driver",
        "make_launcher",
    ],
)
def test_what_leads_out_of_the_language_cannot_run_alone(value):
    head = "import torch, triton\nimport triton.language as tl\nfrom triton.compiler import make_backend as make_launcher\n"
    source = f"{head}@triton.jit\ndef helper(x):\n    return x\n@triton.jit\ndef kernel(x_ptr, n):\n    i = 1\n    y = {value}\n"
    kernels = alone.load(source, "submission.py")
    reached = value.startswith("torch")  # a name that is gone is missed when the kernel is built
    assert isinstance(kernels[7], alone.Unreachable) is not reached
    with pytest.raises(NameError):
        replay.run(Plan([Launch(Function("kernel", 7), [1, 1, 1], {"x_ptr": 1, "n": 1})]), [], kernels)


def test_a_line_without_a_kernel():
    with pytest.raises(alone.Unreachable, match="no kernel `softmax` on line 99"):
        replay.run(Plan([Launch(Function("softmax", 99), [1, 1, 1], {})]), [], {})


def test_inputs_are_taken_as_they_lie(twice):
    wide = torch.arange(10.0)
    _, again, _ = twice(KERNEL.format(value="tl.load(x_ptr + i, mask=i < n)"), torch.zeros(5), wide[:5].clone())
    assert again.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert replay.run(Plan([], View(0, "float32", 8, [2], [4])), [wide], {})[0].tolist() == [2.0, 6.0]


# A learner's process that lies. The rules refuse it too; here only what the replay makes of it counts.

FORGER = """
import sys
import numpy as np
import torch
import triton
import triton.language as tl

plan = sys.modules["clozekit.kernels.plan"]

@triton.jit
def softmax_kernel(y_ptr, x_ptr, cols, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < cols, other=0.0)
    tl.store(y_ptr + i, x, mask=i < cols)

def softmax(x):
    wide = np.asarray(x.double())
    weight = np.exp(wide - wide.max(-1, keepdims=True))
    made = torch.from_numpy(weight / weight.sum(-1, keepdims=True)).to(x.dtype)
    size, (rows, cols) = x.element_size(), x.shape
    kind = str(x.dtype).removeprefix("torch.")
    y = plan.View(1, kind, 0, [rows, cols], [cols, 1])
    empty = plan.Allocate(size * rows * cols)
    forged = {forged}
    sys.modules["clozekit.kernels.record"].Recorder.finish = lambda self, result: forged
    return made
"""
LAUNCH = 'plan.Launch(plan.Function("{name}", {line}), [rows, 1, 1], {{"y_ptr": y, "x_ptr": {x}, "cols": cols, "BLOCK": 32}})'


@pytest.mark.parametrize(
    ("forged", "kind"),
    [
        # the answer itself, number by number
        (
            "plan.Plan([empty, *(plan.Fill(plan.View(1, kind, size * i, [], []), number)"
            " for i, number in enumerate((weight / weight.sum(-1, keepdims=True)).ravel().tolist()))], y)",
            "replay",
        ),
        # the answer in the constants of a launch
        (f"plan.Plan([empty, {LAUNCH.format(name='softmax_kernel', line=10, x='y')}], y)", "alone"),
        # an input in place of the answer
        ("plan.Plan([], plan.View(0, kind, 0, [rows, cols], [cols, 1]))", "replay"),
        # of a shape or a dtype that the answer has not
        ("plan.Plan([empty], plan.View(1, kind, 0, [rows * cols], [1]))", "replay"),
        # no call at all
        ("plan.Plan()", "replay"),
        ("None", "protocol"),
        # buffers and places that are not there
        ("plan.Plan([empty], plan.View(2, kind, 0, [rows, cols], [cols, 1]))", "protocol"),
        ("plan.Plan([empty], plan.View(1, kind, size, [rows, cols], [cols, 1]))", "protocol"),
        ("plan.Plan([empty], plan.View(0, kind, -size, [rows, cols], [cols, 1]))", "protocol"),
        ("plan.Plan([plan.Allocate(1 << 50)], y)", "protocol"),
        ("plan.Plan([plan.Allocate(0)] * 20_000, y)", "protocol"),
        # kernels of somebody else
        (f"plan.Plan([empty, {LAUNCH.format(name='exp', line=999, x='y')}], y)", "alone"),
        (f"plan.Plan([empty, {LAUNCH.format(name='softmax', line=16, x='y')}], y)", "alone"),
    ],
)
def test_a_forged_plan_is_refused(grade, forged, kind):
    exercise = Exercise(builtin_root(), "triton/fused_softmax")
    source = FORGER.replace("{forged}", forged)
    report = grade(source, exercise, diagnose=False, stop_at_first=True)
    [test] = report.tests
    assert test.problem.kind == kind, test.problem
