"""The target's logit is met on the way through the row, the loss is the logarithm of the sum less it."""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(loss, grad, x, y, xr, xc, yr, cols, ignore, B: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    x += row * xr
    grad += row * cols
    target = tl.load(y + row * yr)
    lane = tl.arange(0, B)
    if target == ignore:
        for first in range(0, cols, B):
            tl.store(grad + first + lane, 0.0, mask=first + lane < cols)
        tl.store(loss + row, 0.0)
        return
    peak = -float("inf")
    total = 0.0
    of_target = 0.0
    for first in range(0, cols, B):
        col = first + lane
        v = tl.load(x + col * xc, mask=col < cols, other=-float("inf")).to(tl.float32)
        of_target += tl.sum(tl.where(col == target, v, 0.0), 0)
        new = tl.maximum(peak, tl.max(v, 0))
        total = total * tl.exp(peak - new) + tl.sum(tl.exp(v - new), 0)
        peak = new
    tl.store(loss + row, peak + tl.log(total) - of_target)
    for first in range(0, cols, B):
        col = first + lane
        v = tl.load(x + col * xc, mask=col < cols, other=-float("inf")).to(tl.float32)
        tl.store(grad + col, tl.exp(v - peak) / total - tl.where(col == target, 1.0, 0.0), mask=col < cols)


def cross_entropy(logits, target, ignore_index=-100):
    rows, cols = logits.shape
    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    grad = torch.empty((rows, cols), dtype=logits.dtype, device=logits.device)
    B = min(triton.next_power_of_2(cols), 8192)
    kernel[(rows,)](
        losses, grad, logits, target, *logits.stride(), target.stride(0), cols, ignore_index,
        B=B, num_warps=max(B // 512, 1),
    )  # fmt: skip
    return losses, grad
