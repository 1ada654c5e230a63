"""What kernels compile to, and what of it is told. Facts are compared within one Triton only."""

from pathlib import Path

import pytest

from clozekit.errors import CannotCheck
from clozekit.meters import assembling, compiling
from clozekit.meters.blank import blank
from clozekit.meters.costs import TARGETS, Compiled

KERNELS = """
@triton.jit
def copy(out, x, cols, BLOCK: tl.constexpr):
    at = tl.program_id(0) * cols + tl.arange(0, BLOCK)
    inside = tl.arange(0, BLOCK) < cols
    tl.store(out + at, tl.load(x + at, mask=inside), mask=inside)

@triton.jit
def product(c, a, b, BLOCK: tl.constexpr, HAND: tl.constexpr):
    m, n = tl.arange(0, BLOCK), tl.arange(0, BLOCK)
    left, right = tl.load(a + m[:, None] * BLOCK + n[None, :]), tl.load(b + m[:, None] * BLOCK + n[None, :])
    if HAND:
        total = tl.sum(left[:, :, None] * right[None, :, :], axis=1)
    else:
        total = tl.dot(left, right)
    tl.store(c + m[:, None] * BLOCK + n[None, :], total)

@triton.jit
def loops(out, x, n):
    total = 0.0
    for i in range(n):
        if tl.load(x + i) < 0:
            break
        total += 1.0
    tl.store(out, total)

@triton.jit
def of_any_length(out, x, BLOCK: tl.constexpr):
    tl.store(out + tl.arange(0, BLOCK), tl.load(x + tl.arange(0, BLOCK)))
"""


@pytest.fixture
def kernels(load):
    return load(KERNELS)


def facts(kernel, target="sm_90", num_warps=4, **given):
    made = compiling.compile(kernel, given, target, assembling.ptx_version(target), num_warps=num_warps, num_stages=3)
    return assembling.facts(made, target)


@pytest.mark.parametrize("target", TARGETS)
def test_a_kernel_compiles_for_every_target(kernels, target):
    x = blank("float32", [4, 1024])
    found = facts(kernels.copy, target, out=x, x=x, cols=1024, BLOCK=1024)
    assert not found.error
    assert (found.stack_bytes, found.spill_bytes, found.tensor_core_instructions) == (0, 0, 0)
    assert 8 <= found.registers <= 255
    assert 0 < found.occupancy <= 1
    assert found.load_bits == 128


def test_columns_that_are_no_multiple_of_16_bytes_are_loaded_one_by_one(kernels):
    x = blank("float32", [4, 1001])
    assert facts(kernels.copy, out=x, x=x, cols=1001, BLOCK=1024).load_bits == 32


def test_a_block_beyond_the_registers_goes_to_the_stack(kernels):
    x = blank("float32", [1, 32768])
    narrow, wide = (facts(kernels.copy, num_warps=n, out=x, x=x, cols=32768, BLOCK=32768) for n in (1, 32))
    assert narrow.stack_bytes > 100
    assert narrow.spill_bytes > 0
    assert wide.stack_bytes == 0


@pytest.mark.parametrize("target", TARGETS)
def test_tensor_cores_are_seen(kernels, target):
    half, c = blank("float16", [32, 32]), blank("float32", [32, 32])
    by_hand, by_dot = (
        facts(kernels.product, target, c=c, a=half, b=half, BLOCK=32, HAND=hand) for hand in (True, False)
    )
    assert by_hand.tensor_core_instructions == 0
    assert by_dot.tensor_core_instructions > 0


def test_what_the_compiler_refuses_is_told_with_its_line(kernels):
    x = blank("float32", [8])
    assert "line" in facts(kernels.loops, out=x, x=x, n=3).error
    assert "power of 2" in facts(kernels.of_any_length, out=x, x=x, BLOCK=7).error


def test_more_threads_than_a_gpu_starts_are_refused(kernels):
    x = blank("float32", [1, 32768])
    assert "32 warps" in facts(kernels.copy, num_warps=64, out=x, x=x, cols=32768, BLOCK=32768).error


def test_a_pointer_that_is_not_aligned_is_not_taken_to_be(kernels):
    x = blank("float32", [4097])
    aligned, off = (facts(kernels.copy, out=x, x=view, cols=1024, BLOCK=1024) for view in (x[:4096], x[1:]))
    assert (aligned.load_bits, off.load_bits) == (128, 32)


def test_two_launches_have_one_key_only_if_they_compile_alike(kernels):
    x = blank("float32", [4096])

    def key(num_warps=4, **given):
        return compiling.key(kernels.copy, {"out": x, "x": x, "cols": 1024, "BLOCK": 1024} | given, num_warps=num_warps)

    assert key() == key(cols=2048)
    others = [key(cols=1001), key(x=x[1:]), key(BLOCK=2048), key(num_warps=8), key(x=blank("float16", [8]))]
    assert len({key(), *others}) == 6


# registers, shared bytes, warps -> the share of 64 warps that fit: worked out by the occupancy rules of the CUDA guide
OCCUPANCY = {
    (32, 0, 4): 1.0,
    (64, 0, 4): 0.5,
    (128, 0, 4): 0.25,
    (255, 0, 8): 0.125,  # 256 for each thread: 8 blocks... one of 8 warps
    (16, 0, 1): 0.5,  # no more than 32 blocks
    (32, 100 << 10, 8): 0.25,  # two blocks of shared memory
    (40, 0, 4): 0.75,
}


@pytest.mark.parametrize("resources", OCCUPANCY)
def test_occupancy(resources):
    assert assembling.occupancy(*resources, "sm_90") == OCCUPANCY[resources]


def test_more_shared_memory_than_a_block_may_have_cannot_be_launched():
    """It would compile, and fail on the device."""
    made = Compiled(ptx=".version 8.0\n", shared_bytes=200 << 10)
    assert "shared memory" in assembling.facts(made, "sm_80").error
    assert "shared memory" not in assembling.facts(made, "sm_90").error


def test_ptx_that_is_none_is_an_error_and_no_crash():
    assert "ptxas fails" in assembling.facts(Compiled(ptx="nonsense"), "sm_80").error
    assert "ptxas" in assembling.facts(Compiled(ptx=".version 99.9\n"), "sm_80").error


def test_the_compilers_complaint_is_passed_on():
    assert assembling.facts(Compiled(error="line 3: no"), "sm_80").error == "line 3: no"


def test_ptxas_is_given_a_time_limit(kernels):
    x = blank("float32", [1, 32768])
    made = compiling.compile(
        kernels.copy,
        {"out": x, "x": x, "cols": 32768, "BLOCK": 32768},
        "sm_80",
        assembling.ptx_version("sm_80"),
        num_warps=1,
    )
    assert "longer than 1 s" in assembling.facts(made, "sm_80", seconds=1).error


@pytest.mark.parametrize("program", [Path("/nowhere/ptxas"), None])
def test_a_ptxas_that_does_not_run_is_nobodys_fault(program, monkeypatch):
    """It would otherwise be told as a kernel that does not compile."""
    monkeypatch.setattr(assembling, "assembler", lambda target: program)
    with pytest.raises(CannotCheck, match="ptxas"):
        assembling.facts(Compiled(ptx=".version 8.0\n"), "sm_80")


def test_ptxas_can_read_nothing_else():
    """`.file` and `.loc` name files, an include would too: what it may open is a handful."""
    secret = '.version 8.0\n.target sm_80\n.address_size 64\n.include "/etc/passwd"\n'
    assert "root:" not in assembling.facts(Compiled(ptx=secret), "sm_80").error
