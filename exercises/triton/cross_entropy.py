"""Fused cross-entropy kernel

Loss and gradient of a large vocabulary at once: write a Triton kernel, and the function
that launches it. For row i of the logits x, with target y,

    losses[i]  = log Σ_k exp(x[i, k]) - x[i, y]
    grad[i, j] = exp(x[i, j]) / Σ_k exp(x[i, k]) - (1 if j = y else 0)

where grad is the gradient of Σ_i losses[i]. Where y is ignore_index, both are 0.

A row of 128256 logits does not fit into registers: take it in blocks. A first pass
keeps the peak of the logits so far, and the total of exp(x - peak); a block x gives

    new   = max(peak, max_k x_k)
    total = total · exp(peak - new) + Σ_k exp(x_k - new)

and new is the next peak. A second pass loads the row again and stores its gradient.

logits  [rows, cols], both at least 1, all finite; float32, float16 or bfloat16; of any
        strides; must not be changed
target  [rows], int64, of any stride: 0 ≤ y < cols, or ignore_index, which may be any
        integer, a class as well
result  (losses, grad), new tensors: losses [rows], float32; grad [rows, cols], of the
        dtype of logits

All arithmetic is float32. Logits are loaded twice at most, those of ignored rows never,
and each element of the results is stored once: no softmax waits in memory. The host
allocates and launches, once: no softmax, sum or loss there, and no tl.softmax anywhere.

Source: Hsu et al. 2024, Liger Kernel, arXiv:2410.10989; online sum: Milakov & Gimelshein 2018, arXiv:1805.02867
"""

import torch
import triton
import triton.language as tl


@triton.jit
def cross_entropy_kernel(
    loss_ptr, grad_ptr, logits_ptr, target_ptr,
    logits_row, logits_col, target_row,  # strides
    cols, ignore_index, BLOCK: tl.constexpr,
):  # fmt: skip
    """One program computes the loss of one row and its gradient, from BLOCK logits at a time; grad is contiguous."""
    row = tl.program_id(0).to(tl.int64)  # in 32 bits, row * stride overflows from 2**31 elements
    step = tl.arange(0, BLOCK).to(tl.int64)  # (BLOCK,)
    logits_ptr += row * logits_row
    grad_ptr += row * cols
    target = tl.load(target_ptr + row * target_row)

    # TODO (5 lines): where the target is `ignore_index`: write the loss and the row of grad, and be done
    raise NotImplementedError("ignored")

    # of the logits seen so far:
    peak = -float("inf")  # the largest
    total = 0.0  # the sum of exp(logit - peak)
    for first in range(0, cols, BLOCK):
        col = first + step  # (BLOCK,)
        x = tl.load(logits_ptr + col * logits_col, mask=col < cols, other=-float("inf")).to(tl.float32)  # (BLOCK,)

        # TODO (3 lines): fold the block `x` into `peak` and `total`
        raise NotImplementedError("update")

    # TODO (2 lines): write the loss of the row
    raise NotImplementedError("loss")

    for first in range(0, cols, BLOCK):
        col = first + step
        x = tl.load(logits_ptr + col * logits_col, mask=col < cols, other=-float("inf")).to(tl.float32)

        # TODO (3 lines): write this block `x` of the row as its gradient
        raise NotImplementedError("gradient")


def cross_entropy(
    logits: torch.Tensor, target: torch.Tensor, ignore_index: int = -100
) -> tuple[torch.Tensor, torch.Tensor]:
    """logits [rows, cols], target [rows] -> losses [rows], and the gradient of their sum, [rows, cols]."""
    rows, cols = logits.shape

    # TODO (7 lines): `losses`, `grad`, new tensors; let the kernel fill them, a program for each row
    raise NotImplementedError("launch")

    return losses, grad
