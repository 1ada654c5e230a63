"""What a host did, written down; and which plans are refused unseen."""

import sys

import msgspec
import pytest
import torch
import triton
import triton.language as tl

from clozekit.kernels import plan
from clozekit.kernels.plan import Allocate, Copy, Fill, Function, Impossible, Launch, Many, Plan, View
from clozekit.kernels.record import Recorder

COPY = """
    LOG2E = tl.constexpr(1.5)

    @triton.jit
    def twice(x):
        return x * LOG2E

    @triton.jit
    def copy_kernel(y_ptr, x_ptr, n, B: tl.constexpr):
        i = tl.arange(0, B)
        tl.store(y_ptr + i, twice(tl.load(x_ptr + i, mask=i < n)), mask=i < n)
"""
X = View(0, "float32", 0, [2, 3], [3, 1])
Y = View(1, "float32", 0, [2, 3], [3, 1])


@pytest.fixture
def record(load):
    """record(host, x): the plan of `host`, the body of f(x), in the file of copy_kernel; in either mode the same."""

    def run(host: str, x: torch.Tensor) -> Plan:
        module = load(COPY + f"\n    def f(x):\n        {host}\n")
        plain, shown = (recorded(module, x.clone(), mode()) for mode in (torch.no_grad, torch.inference_mode))
        assert plain == shown or plain.host
        return plain

    def recorded(module, x: torch.Tensor, mode) -> Plan:
        with mode, Recorder("submission.py", [x]) as recorder:
            result = module.f(x)
        return recorder.finish(result)

    return run


def test_a_call_as_a_plan(record):
    script = record("y = torch.empty_like(x); copy_kernel[(1,)](y, x, 6, B=8, num_warps=2); return y", torch.ones(2, 3))
    assert script == Plan(
        [
            Allocate(24),
            Launch(
                Function("copy_kernel", 9),
                [1, 1, 1],
                {"y_ptr": Y, "x_ptr": X, "n": 6, "B": 8},
                {"LOG2E": 1.5, "twice": Function("twice", 5)},
                num_warps=2,
                num_stages=3,
            ),
        ],
        Y,
    )
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(script), type=Plan) == script


def test_numbers_of_numpy_are_numbers(record):
    host = "import numpy as np; copy_kernel[(1,)](x, x, np.sqrt(1.0), B=8); return x"
    launch = record(host, torch.ones(1)).steps[0]
    assert type(launch.arguments["n"]) is float


def test_views_cost_nothing_and_keep_their_place(record):
    script = record("return x.view(3, 2)[1:].T.detach()", torch.ones(2, 3))
    assert script == Plan([], View(0, "float32", 8, [2, 2], [1, 2]))


@pytest.mark.parametrize(
    ("host", "steps"),
    [
        ("return torch.zeros(2, 3)", [Allocate(24), Fill(Y, 0)]),
        ("return x.new_full((2, 3), 7.5)", [Allocate(24), Fill(Y, 7.5)]),
        ("return torch.empty(2, 3).fill_(-1)", [Allocate(24), Fill(Y, -1)]),
        ("return torch.ones_like(x).zero_()", [Allocate(24), Fill(Y, 1), Fill(Y, 0)]),
        ("return x.clone()", [Allocate(24), Copy(X, Y)]),
        ("return torch.empty(2, 3).copy_(x)", [Allocate(24), Copy(X, Y)]),
        (
            "return x.T.contiguous().T",
            [Allocate(24), Copy(msgspec.structs.replace(X, shape=[3, 2], strides=[1, 3]), ...)],
        ),
        ("return torch.empty(2, 3).copy_(torch.tensor(4))", [Allocate(24), Fill(Y, 4)]),
        ("y = torch.empty(2, 3); y[:] = 4; return y", [Allocate(24), Fill(Y, 4)]),
        ("return x.to(torch.float16).half()", [Allocate(12), Copy(X, msgspec.structs.replace(Y, dtype="float16"))]),
        ("return x.reshape(-1).view(2, 3)", []),
        ("print(x, f'{x}'); return x", []),
        ("assert x.is_contiguous() and x.numel() == 6 and x.stride(0) == 3; return x.detach()", []),
    ],
)
def test_what_a_host_may_do(record, host, steps):
    script = record(host, torch.ones(2, 3))
    assert script.host == {}
    for found, step in zip(script.steps, steps, strict=True):
        assert found == step or (isinstance(step, Copy) and found.source == step.source)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("return x.softmax(-1)", "torch.Tensor.softmax"),
        ("return torch.exp(x)", "torch.exp"),
        ("return x * 2", "torch.Tensor.mul"),
        ("return x.add_(1)", "torch.Tensor.add_"),
        ("return x[0, 0].item()", "torch.Tensor.item"),
        ("return float(x.amax())", "torch.Tensor.amax"),
        ("return x.tolist()[0]", "torch.Tensor.tolist"),
        ("return x.numpy().sum()", "torch.Tensor.numpy"),
        ("import numpy; return numpy.asarray(x).sum()", "torch.Tensor.__array__"),
        ("return bytes(x.untyped_storage())[0]", "torch.Tensor.untyped_storage"),
        ("copy_kernel[lambda meta: (int(x[0, 0]),)](x, x, 6, B=8); return x", "torch.Tensor.__int__"),
        ("y = torch.empty_like(x); y[:] = x.flip(0); return y", "torch.Tensor.flip"),
    ],
)
def test_what_a_host_may_not_do_is_told_by_name(record, host, name):
    assert name in record(host, torch.ones(2, 3)).host


@pytest.mark.parametrize(
    "host",
    [
        "import numpy; return torch.from_numpy(numpy.ones(6, 'float32'))",
        "y = torch.empty_like(x); y.copy_(torch.frombuffer(bytearray(24), dtype=torch.float32).view(2, 3)); return y",
        "copy_kernel[(1,)](x, torch.frombuffer(bytearray(24), dtype=torch.float32), 6, B=8); return x",
    ],
)
def test_memory_from_elsewhere_is_unknown(record, host):
    assert plan.has_unknown(record(host, torch.ones(2, 3)))


@triton.jit
def foreign_kernel(x_ptr):
    tl.store(x_ptr, 1.0)


def test_a_kernel_of_another_file_is_the_hosts(record, monkeypatch):
    host = "from tests.kernels.test_plan import foreign_kernel; foreign_kernel[(1,)](x); return x"
    monkeypatch.setitem(sys.modules, "tests.kernels.test_plan", sys.modules[__name__])
    assert list(record(host, torch.ones(1)).host) == [f"{__name__}.foreign_kernel"]


PADDED = msgspec.structs.replace(Y, strides=[16, 1])
TRANSPOSED = msgspec.structs.replace(X, shape=[3, 2], strides=[1, 3])


@pytest.mark.parametrize(
    ("copy", "moved"),
    [
        (Copy(X, Y), 24),
        (Copy(X, PADDED), 0),
        (Copy(X, msgspec.structs.replace(PADDED, dtype="float16")), 24),
        (Copy(TRANSPOSED, msgspec.structs.replace(Y, shape=[3, 2], strides=[2, 1])), 24),
        (Copy(Y, PADDED), 0),
        (Copy(msgspec.structs.replace(TRANSPOSED, buffer=1), PADDED), 24),
    ],
)
def test_only_a_copy_that_lays_a_whole_tensor_out_anew_is_free(copy, moved):
    assert plan.passes(Plan([copy], Y), [([2, 3], [3, 1])]) == moved


@pytest.mark.parametrize(("length", "moved"), [(6, 0), (3, 12)])
def test_a_whole_tensor_is_laid_out_anew_from_a_flat_view_of_it_as_well(length, moved):
    flat, dense = (View(i, "float32", 0, [length], [stride]) for i, stride in ((0, 2), (1, 1)))
    assert plan.passes(Plan([Copy(flat, dense)], dense), [([2, 3], [6, 2])]) == moved


def test_a_single_row_can_be_padded_as_well():
    row, padded = (View(i, "float32", 0, [1, 6], [stride, 1]) for i, stride in ((0, 6), (1, 16)))
    assert plan.passes(Plan([Copy(row, padded)], padded), [([1, 6], [1, 1])]) == 0


def test_scratch_is_what_is_not_the_answer():
    assert plan.scratch(Plan([Allocate(24), Allocate(100)], Y), 1) == 100
    assert plan.scratch(Plan([Allocate(64)], Y), 1) == 40
    assert plan.scratch(Plan([], X), 1) == 0


@pytest.mark.parametrize(
    "script",
    [
        Plan([], View(2, "float32", 0, [1], [1])),
        Plan([], View(-2, "float32", 0, [1], [1])),
        Plan([Fill(Y, 0), Allocate(24)], X),
        Plan([], View(0, "float32", 4, [2, 3], [3, 1])),
        Plan([], View(0, "float32", 0, [2, 3], [4, 1])),
        Plan([], View(0, "float32", 2, [1], [1])),
        Plan([], View(0, "float32", 0, [2, 3], [1])),
        Plan([], View(0, "float128", 0, [1], [1])),
        Plan([], View(0, "float32", 0, [1 << 40] * 16, [1 << 40] * 16)),
        Plan([Allocate(plan.MEMORY), Allocate(1)], X),
        Plan([Launch(Function("f", 1), [1, 1, 1], {"x": Many([View(9, "float32", 0, [1], [1])])})], X),
        Plan([Launch(Function("f", 1), [1, 1, 1], {}, {"x": View(9, "float32", 0, [1], [1])})], X),
    ],
)
def test_a_plan_that_cannot_be_is_refused(script):
    with pytest.raises(Impossible):
        plan.check(script, [24])


def test_the_edge_of_a_buffer_belongs_to_it():
    plan.check(Plan([Allocate(24)], View(1, "float32", 20, [1], [7])), [24])
    plan.check(Plan([], View(0, "float32", 24, [0, 5], [5, 1])), [24])
