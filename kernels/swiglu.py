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

    # BLANK load
    gate = tl.load(gate_ptr + row * gate_row + col * gate_col, mask=inside).to(tl.float32)  # (BLOCK,)
    up = tl.load(up_ptr + row * up_row + col * up_col, mask=inside).to(tl.float32)
    # END

    # BLANK forward
    y = gate * tl.sigmoid(gate) * up
    # END

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

    # BLANK backward
    sigmoid = tl.sigmoid(gate)
    silu = gate * sigmoid
    dup = dy * silu
    dgate = dy * up * (sigmoid + silu * (1 - sigmoid))  # σ' = σ (1 - σ)
    # END

    tl.store(dgate_ptr + row * cols + col, dgate, mask=inside)
    tl.store(dup_ptr + row * cols + col, dup, mask=inside)


def swiglu(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """gate, up [rows, cols] -> silu(gate) * up, [rows, cols], in their dtype."""
    rows, cols = gate.shape
    BLOCK = 1024

    # BLANK launch
    y = torch.empty((rows, cols), dtype=gate.dtype, device=gate.device)
    grid = rows, triton.cdiv(cols, BLOCK)  # rows first: the second axis of a grid ends at 65535
    swiglu_kernel[grid](y, gate, up, *gate.stride(), *up.stride(), cols, BLOCK=BLOCK)
    # END

    return y


def swiglu_backward(dy: torch.Tensor, gate: torch.Tensor, up: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """dy, gate, up [rows, cols] -> the gradients of gate and up, [rows, cols] each, in their dtype."""
    rows, cols = gate.shape
    BLOCK = 1024

    # BLANK launch_backward
    dgate, dup = (torch.empty((rows, cols), dtype=gate.dtype, device=gate.device) for _ in range(2))
    grid = rows, triton.cdiv(cols, BLOCK)
    swiglu_backward_kernel[grid](
        dgate, dup, dy, gate, up, *dy.stride(), *gate.stride(), *up.stride(), cols, BLOCK=BLOCK
    )
    # END

    return dgate, dup
