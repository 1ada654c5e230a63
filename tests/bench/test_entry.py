"""From a call of a submission to what a bench process gets: real plans, real PTX."""

import linecache
import re
import textwrap
import types

import msgspec
import pytest
import torch

from clozekit import blanks
from clozekit.bench.driver import Unsupported, parameters
from clozekit.bench.entry import compare, entry, kernel, target_of
from clozekit.bench.planned import Planned
from clozekit.catalog import open_catalog
from clozekit.grading.evidence import Solution
from clozekit.grading.tolerance import expect
from clozekit.kernels import alone
from clozekit.kernels.record import Recorder
from clozekit.meters import assembling, measuring
from clozekit.meters.callstring import parse
from clozekit.meters.costs import Compiled

SOURCE = """
    import torch, triton
    import triton.language as tl

    @triton.jit
    def scaled(y_ptr, x_ptr, strides, cols, scale, BLOCK: tl.constexpr):
        row, col = tl.program_id(0), tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * strides[0] + col * strides[1], mask=col < cols)
        tl.store(y_ptr + row * cols + col, x * scale, mask=col < cols)

    def f(x):
        y = torch.empty(x.shape)
        for half in (0, 1):
            rows = x.shape[0] // 2
            here = slice(half * rows, half * rows + rows)
            scaled[(rows,)](y[here], x[here], x.stride(), x.shape[1], 2.0, BLOCK=64, num_warps=2)
        return y
"""
X = torch.rand(8, 48)
TARGET = "sm_80"


@pytest.fixture
def handed(interpreted):
    """The plan of f(X), and its launches, compiled."""
    source = textwrap.dedent(SOURCE)
    linecache.cache["submission.py"] = (len(source), None, source.splitlines(True), "submission.py")
    module = types.ModuleType("submission")
    exec(compile(source, "submission.py", "exec", dont_inherit=True), vars(module))
    script = measuring.dry(module.f, [X], {}, Recorder("submission.py", [X]))
    kernels = alone.load(source, "submission.py")
    yield script, measuring.plan(script, [X], kernels, {TARGET: assembling.ptx_version(TARGET)})
    linecache.cache.pop("submission.py")


def test_a_kernel_that_is_launched_twice_is_sent_once(handed):
    request, buffers = compare(handed, handed, [X], expect(lambda x: 2 * x, [X]), 1.25, TARGET)
    assert (len(request.reference.kernels), request.reference.uses) == (1, [0, 0])
    code = buffers[-1]
    assert [len(buffer) for buffer in buffers] == [X.nbytes, len(code), len(code)]
    (sent,) = request.candidate.kernels
    assert (sent.name, sent.size, sent.num_warps) == ("scaled", len(code), 2)
    assert len(request.slack) == 1
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(request), type=type(request)) == request


def test_what_is_passed_is_what_the_code_takes(handed):
    """One parameter for each that the PTX declares, of its size; a stride of 1 is compiled in."""
    made, (code,) = entry(*handed, TARGET)
    (sent,) = made.kernels
    declared = re.findall(r"\.param \.[a-z](\d+)", code.decode().partition("{")[0])
    launcher = Asks()
    Planned(made.plan, [X], launcher, [(sent, code)] * 2, "cpu")
    assert len(launcher.asked) == 2
    for values in launcher.asked:
        assert [len(value) for value in values] + [8] * len(sent.scratch) == [int(bits) // 8 for bits in declared]
    assert sent.signature["strides[1]"] == "constexpr"
    assert sent.signature["strides[0]"] == "i32"


FIVE = ", ".join(["float16[1, 2, 64, 32]"] * 5)
CALLS = {  # of exercises whose graders name theirs in the test itself
    "rope": "rope(bfloat16[1, 8, 16, 64], bfloat16[1, 2, 16, 64], float32[16, 64], float32[16, 64])",
    "matmul": "matmul(float16[64, 64], float16[64, 64].T)",
    "flash_attention_backward": f"flash_attention_backward({FIVE}, float32[1, 2, 64], True)",
    "flash_decoding": "flash_decoding(float16[2, 8, 64], float16[2, 8, 256, 64], float16[2, 8, 256, 64], 8)",
}


class Asks:
    """A launcher that asks for the parameters of each launch, and launches nothing."""

    def __init__(self):
        self.asked = []

    def bind(self, step, compiled, memory):
        self.asked.append(parameters(step, compiled[0], memory))
        return lambda: None


@pytest.mark.parametrize("exercise", [each for each in open_catalog(()) if each.sheet.policy.kernel], ids=str)
def test_every_solution_can_be_launched_on_a_device(exercise, interpreted):
    call = parse(CALLS.get(exercise.name) or exercise.costs[0])
    args, kwargs = call.filled(measuring.real)
    solution = Solution(blanks.reveal(exercise.solution), {})
    script, launches = solution.handed(call.target, tuple(args), kwargs, {TARGET: assembling.ptx_version(TARGET)})
    made, codes = entry(script, launches, TARGET)
    launcher = Asks()
    inputs = [measuring.meta(leaf) for leaf in call.tensors]
    kernels = [(made.kernels[use], codes[use]) for use in made.uses]
    Planned(script, inputs, launcher, kernels, "meta")
    assert len(launcher.asked) == len(launches) > 0


def test_what_is_only_compiled_is_the_same_code_and_runs_no_program(handed):
    script, launches = handed
    source = "".join(linecache.cache["submission.py"][2])
    kernels, targets = alone.load(source, "submission.py"), {TARGET: assembling.ptx_version(TARGET)}
    made = measuring.plan(script, [X], kernels, targets, effort=0)
    assert [each.load_bytes for each in launches] == [X.nbytes // 2] * 2
    assert [each.load_bytes for each in made] == [0, 0]
    assert made[0].compiled[TARGET].ptx == launches[0].compiled[TARGET].ptx


def test_a_launch_that_nobody_compiled_is_refused(handed):
    script, launches = handed
    launches[0].compiled_as = launches[1].compiled_as = 0
    with pytest.raises(Unsupported, match="`scaled` was not compiled for sm_80"):
        entry(script, launches, TARGET)
    with pytest.raises(Unsupported, match="sm_90"):
        entry(script, launches, "sm_90")


PTX = ".visible .entry k(.param .u64 k_param_0, .param .u32 k_param_1)\n.reqntid 128{directives}\n{{\n}}"
ARGUMENTS = {"x_ptr": "*fp32", "n": "i32", "B": "constexpr"}


@pytest.mark.parametrize(
    ("compiled", "why"),
    [
        (Compiled(error="line 3 of the kernel: no"), "line 3"),
        (Compiled(ptx="// nothing"), "no entry"),
        (Compiled(ptx=PTX.format(directives=""), signature={"x_ptr": "*fp32"}), "1 arguments"),
        (Compiled(ptx=PTX.format(directives=""), signature=ARGUMENTS, scratch=[0]), "3 arguments"),
        (Compiled(ptx=PTX.format(directives="\n.reqnctapercluster 2"), signature=ARGUMENTS), "clusters"),
    ],
)
def test_what_cannot_be_launched_is_told(compiled, why):
    with pytest.raises(Unsupported, match=why):
        kernel(compiled, TARGET)


def test_the_size_of_a_block_is_that_of_the_code():
    assert kernel(Compiled(ptx=PTX.format(directives=""), signature=ARGUMENTS, num_warps=8), TARGET).num_warps == 4


@pytest.mark.parametrize(
    ("capability", "target"),
    [((8, 0), "sm_80"), ((8, 9), "sm_80"), ((9, 0), "sm_90"), ((10, 0), "sm_100"), ((12, 0), "sm_80")],
)
def test_the_target_of_a_device(capability, target):
    assert target_of(capability) == target


def test_an_old_device_has_no_target():
    with pytest.raises(Unsupported, match=r"7\.5"):
        target_of((7, 5))
