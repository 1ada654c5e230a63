"""What Triton 3.7, 3.8 and 3.9 do not all have: allowed here where the compiler that is installed allows it, and only there."""

import pytest
import torch
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, make_backend

from clozekit.kernels import private

# statements of a kernel that set y, and the value for n = 2
STATEMENTS = {
    "chained comparison that holds": ("y = 0 < n <= 2", 1),
    "chained comparison that does not hold": ("y = 0 < n < 2", 0),
    "chained comparison of constants": ("y = 0 < N < 3", 1),
    "chain with a call in the middle": ("y = n < tl.load(y_ptr + 1) < 8", 1),
    "`:=`": ("y = (m := n + 1) * m", 9),
    "`:=` in a condition": ("y = 0\n    if (m := n + 1) > 2 and m < 5:\n        y = m", 3),
    "`:=` behind `and`": ("y = 0\n    if n > 1 and (m := n + 1) > 2:\n        y = m", 3),
    "constant declared first": ("size: tl.constexpr\n    size = N * 2\n    y = tl.sum(tl.arange(0, size))", 6),
    "constant declared before two branches": (
        "size: tl.constexpr\n    if N > 1:\n        size = 4\n    else:\n        size = 8\n    y = tl.sum(tl.arange(0, size))",
        6,
    ),
    "atomic load": ("y = tl.atomic_load(y_ptr + 1)", 7),
    "atomic store": ("tl.atomic_store(y_ptr + 1, 4)\n    y = tl.load(y_ptr + 1)", 4),
    "poll of what is there": ("tl.atomic_poll(y_ptr + 1, 7)\n    y = 1", 1),
    "poll that times out": ("y = tl.atomic_poll(y_ptr + 1, 8, timeout_ns=10)", 0),
    "sum of two truths, which wraps around": ("y = ((n > 0) + (n > 1)).to(tl.int32)", 0),
    "product of two truths": ("y = ((n > 0) * (n > 1)).to(tl.int32)", 1),
    "mask joined with a scalar one": (
        "i = tl.arange(0, 2)\n    y = tl.sum(tl.load(y_ptr + i, mask=(i < n) & (n > 1), other=0))",
        6,
    ),
    "clamp of integers": ("y = tl.clamp(n, 3, 5)", 3),
    "squeeze from the end": ("y = tl.sum(tl.squeeze(tl.arange(0, 4)[:, None], -1))", 6),
}


def compiles(kernel) -> bool:
    """Whether the compiler takes a kernel of (y_ptr, n, N)."""
    target = GPUTarget("cuda", 90, 32)
    backend = make_backend(target)
    options = backend.parse_options({"enable_fp_fusion": True})
    context = private.ir.context()
    private.ir.load_dialects(context)
    backend.load_dialects(context)
    source = ASTSource(kernel, {"y_ptr": "*i32", "n": "i32", "N": "constexpr"}, {(2,): 2})
    try:
        source.make_ir(target, options, backend.get_codegen_implementation(options), backend.get_module_map(), context)
    except triton.TritonError:
        return False
    return True


@pytest.mark.parametrize("case", STATEMENTS)
def test_a_statement_runs_if_it_compiles(load, case):
    statement, expected = STATEMENTS[case]
    head = "@triton.jit\ndef kernel(y_ptr, n, N: tl.constexpr):\n"
    kernel = load(f"{head}    {statement}\n    tl.store(y_ptr, y)\n").kernel
    y = torch.tensor([-1, 7], dtype=torch.int32)
    if compiles(kernel):
        kernel[(1,)](y, 2, N=2)
        assert y[0] == expected
    else:
        with pytest.raises(Exception, match=r"\w"):
            kernel[(1,)](y, 2, N=2)


@triton.jit
def handshake_kernel(flag_ptr, y_ptr):
    if tl.program_id(0) == 0:
        tl.store(y_ptr, 5)
        tl.atomic_store(flag_ptr, 1)
    else:
        tl.atomic_poll(flag_ptr, 1)
        tl.store(y_ptr + 1, tl.load(y_ptr) + 1)


@pytest.mark.skipif(not hasattr(tl, "atomic_poll"), reason="this Triton has no tl.atomic_poll")
def test_a_program_may_wait_for_an_earlier_one():
    flag, y = torch.zeros(2, dtype=torch.int32)[:1], torch.zeros(2, dtype=torch.int32)
    handshake_kernel[(2,)](flag, y)
    assert y.tolist() == [5, 6]


@pytest.mark.skipif(not hasattr(tl, "atomic_poll"), reason="this Triton has no tl.atomic_poll")
def test_a_program_that_waits_for_a_later_one_does_not_wait_for_ever(load):
    module = load("""
        @triton.jit
        def kernel(flag_ptr):
            tl.atomic_poll(flag_ptr, 1)
    """)
    with pytest.raises(NotImplementedError, match="comes later cannot be run on the CPU"):
        module.kernel[(2,)](torch.zeros(1, dtype=torch.int32))


POINTERS = {
    "of tl": "tl.make_block_ptr",
    "by a name of its own": "block_at",
}


@pytest.mark.skipif(private.BLOCK_POINTERS, reason="this Triton has block pointers")
@pytest.mark.parametrize("case", POINTERS)
def test_where_block_pointers_are_gone_a_kernel_is_told_what_to_use(load, case):
    module = load(f"""
        from triton.language import make_block_ptr as block_at
        @triton.jit
        def kernel(y_ptr, x_ptr):
            x = {POINTERS[case]}(x_ptr, (8,), (1,), (0,), (8,), (0,))
            tl.store(y_ptr + tl.arange(0, 8), tl.load(tl.advance(x, (0,)), boundary_check=(0,)))
    """)
    told = r"Triton 3\.\d.* no block pointers: instead of tl.make_block_ptr and tl.advance, .*descriptor.*line 6"
    with pytest.raises(SyntaxError, match=told):
        module.kernel[(1,)](torch.empty(8), torch.empty(8))
