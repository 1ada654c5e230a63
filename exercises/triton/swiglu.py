"""SwiGLU kernels, forward and backward

Between the projections of a Llama MLP, one half of the features opens or closes the
other. Write Triton kernels, and the functions that launch them, for

    y = silu(gate) · up        silu(g) = g · σ(g)        σ(g) = 1 / (1 + exp(-g))

element by element, and for its gradients: given dy, those of Σ dy · y,

    dgate = dy · ∂y/∂gate        dup = dy · ∂y/∂up

One torch call per step carries σ, silu and products to memory and back. Fused, the
forward pass reads two tensors and writes one; the backward pass reads three and writes
two, in one launch: it makes σ(gate) anew, which costs less than to load it.

gate, up, dy   [rows, cols], both at least 1; of one dtype: float32, float16, bfloat16;
               strides any, each its own: gate and up are often the left and the right
               half of one tensor; must not be changed
results        y, or (dgate, dup): new tensors [rows, cols] of this dtype

All arithmetic is done in float32, by the kernels; silu may be rounded once to the dtype
of gate before it is multiplied. The gate may be in the hundreds, of either sign, and
nothing may overflow. The host allocates and launches: no arithmetic, no autograd there.

Source: Shazeer 2020, GLU Variants Improve Transformer, arXiv:2002.05202, section 2
"""

import torch
import triton
import triton.language as tl


@triton.jit
def swiglu_kernel(
    y_ptr, gate_ptr, up_ptr, gate_row, gate_col, up_row, up_col, cols, BLOCK: tl.constexpr
):  # fmt: skip
    """One program computes BLOCK neighbours of a row of y, which is contiguous; gate and up need not be."""
    row = tl.program_id(0).to(tl.int64)  # in 32 bits, row * stride overflows from 2**31 elements
    col = (tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)).to(tl.int64)  # (BLOCK,)
    inside = col < cols

    # TODO (2 lines): `gate` and `up`, float32 (BLOCK,): the columns `col` of row `row`
    raise NotImplementedError("load")

    # TODO (1 line): `y` (BLOCK,): silu(gate) · up
    raise NotImplementedError("forward")

    tl.store(y_ptr + row * cols + col, y, mask=inside)  # rounds to the dtype of y


@triton.jit
def swiglu_backward_kernel(
    dgate_ptr, dup_ptr, dy_ptr, gate_ptr, up_ptr,
    dy_row, dy_col, gate_row, gate_col, up_row, up_col, cols, BLOCK: tl.constexpr,
):  # fmt: skip
    """One program computes BLOCK neighbours of a row of both gradients, which are contiguous."""
    row = tl.program_id(0).to(tl.int64)
    col = (tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)).to(tl.int64)  # (BLOCK,)
    inside = col < cols

    dy = tl.load(dy_ptr + row * dy_row + col * dy_col, mask=inside).to(tl.float32)  # (BLOCK,)
    gate = tl.load(gate_ptr + row * gate_row + col * gate_col, mask=inside).to(tl.float32)
    up = tl.load(up_ptr + row * up_row + col * up_col, mask=inside).to(tl.float32)

    # TODO (4 lines): `dgate` and `dup` (BLOCK,)
    raise NotImplementedError("backward")

    tl.store(dgate_ptr + row * cols + col, dgate, mask=inside)
    tl.store(dup_ptr + row * cols + col, dup, mask=inside)


def swiglu(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """gate, up [rows, cols] -> silu(gate) * up, [rows, cols], in their dtype."""
    rows, cols = gate.shape
    BLOCK = 1024

    # TODO (3 lines): `y`, a new tensor [rows, cols]; let the kernel fill it
    raise NotImplementedError("launch")

    return y


def swiglu_backward(dy: torch.Tensor, gate: torch.Tensor, up: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """dy, gate, up [rows, cols] -> the gradients of gate and up, [rows, cols] each, in their dtype."""
    rows, cols = gate.shape
    BLOCK = 1024

    # TODO (5 lines): `dgate` and `dup`, new tensors [rows, cols]; let the kernel fill both
    raise NotImplementedError("launch_backward")

    return dgate, dup
