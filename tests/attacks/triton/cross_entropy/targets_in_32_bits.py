"""Targets are cut to 32 bits: an ignore_index beyond these is never found, and its row has a class.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(loss, grad, x, y, xr, xc, yr, cols, ignore, B: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    x += row * xr
    grad += row * cols
    target = tl.load(y + row * yr).to(tl.int32)
    lane = tl.arange(0, B)
    if target == ignore:
        for first in range(0, cols, B):
            tl.store(grad + first + lane, 0.0, mask=first + lane < cols)
        tl.store(loss + row, 0.0)
        return
    peak = -float("inf")
    total = 0.0
    for first in range(0, cols, B):
        v = tl.load(x + (first + lane) * xc, mask=first + lane < cols, other=-float("inf")).to(tl.float32)
        new = tl.maximum(peak, tl.max(v, 0))
        total = total * tl.exp(peak - new) + tl.sum(tl.exp(v - new), 0)
        peak = new
    tl.store(loss + row, tl.log(total) + (peak - tl.load(x + target * xc).to(tl.float32)))
    for first in range(0, cols, B):
        v = tl.load(x + (first + lane) * xc, mask=first + lane < cols, other=-float("inf")).to(tl.float32)
        tl.store(grad + first + lane, tl.exp(v - peak) / total - (first + lane == target), mask=first + lane < cols)


def cross_entropy(logits, target, ignore_index=-100):
    rows, cols = logits.shape
    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    grad = torch.empty((rows, cols), dtype=logits.dtype, device=logits.device)
    B = min(triton.next_power_of_2(cols), 4096)
    kernel[(rows,)](
        losses, grad, logits, target, *logits.stride(), target.stride(0), cols, ignore_index,
        B=B, num_warps=max(B // 512, 1),
    )  # fmt: skip
    return losses, grad
