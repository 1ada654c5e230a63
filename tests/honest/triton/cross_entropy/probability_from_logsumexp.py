"""The logarithm of the sum is kept, and the second pass takes exp(x - logsumexp), as Unsloth writes it."""

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

    if target == ignore_index:
        for first in range(0, cols, BLOCK):
            tl.store(grad_ptr + first + step, 0.0, mask=first + step < cols)
        tl.store(loss_ptr + row, 0.0)
        return

    # of the logits seen so far:
    peak = -float("inf")  # the largest
    total = 0.0  # the sum of exp(logit - peak)
    for first in range(0, cols, BLOCK):
        col = first + step  # (BLOCK,)
        x = tl.load(logits_ptr + col * logits_col, mask=col < cols, other=-float("inf")).to(tl.float32)  # (BLOCK,)

        new_peak = tl.maximum(peak, tl.max(x, axis=0))
        total = total * tl.exp(peak - new_peak) + tl.sum(tl.exp(x - new_peak), axis=0)
        peak = new_peak

    logsumexp = peak + tl.log(total)
    of_target = tl.load(logits_ptr + target * logits_col).to(tl.float32)
    tl.store(loss_ptr + row, logsumexp - of_target)

    for first in range(0, cols, BLOCK):
        col = first + step
        x = tl.load(logits_ptr + col * logits_col, mask=col < cols, other=-float("inf")).to(tl.float32)

        probability = tl.exp(x - logsumexp)
        grad = tl.where(col == target, probability - 1.0, probability)
        tl.store(grad_ptr + col, grad, mask=col < cols)  # rounds to the dtype of grad


def cross_entropy(
    logits: torch.Tensor, target: torch.Tensor, ignore_index: int = -100
) -> tuple[torch.Tensor, torch.Tensor]:
    """logits [rows, cols], target [rows] -> losses [rows], and the gradient of their sum, [rows, cols]."""
    rows, cols = logits.shape

    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    grad = torch.empty((rows, cols), dtype=logits.dtype, device=logits.device)
    BLOCK = min(triton.next_power_of_2(cols), 16384)  # the second pass finds so few rows in the cache
    cross_entropy_kernel[(rows,)](
        losses, grad, logits, target, *logits.stride(), *target.stride(), cols, ignore_index,
        BLOCK=BLOCK, num_warps=max(BLOCK // 512, 1),  # 16 logits per thread
    )  # fmt: skip

    return losses, grad
