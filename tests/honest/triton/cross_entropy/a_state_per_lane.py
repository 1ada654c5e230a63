"""Each lane keeps its own peak and total, joined after the loop; exp2 and log2; persistent programs; ignored by if and else."""

import torch
import triton
import triton.language as tl

LOG2E = tl.constexpr(1.4426950408889634)


@triton.jit
def kernel(loss, grad, x, y, xr, xc, yr, rows, cols, ignore, B: tl.constexpr):
    lane = tl.arange(0, B)
    for row in range(tl.program_id(0), rows, tl.num_programs(0)):
        target = tl.load(y + row * yr)
        here = x + row.to(tl.int64) * xr
        out = grad + row.to(tl.int64) * cols
        if target != ignore:
            peak = tl.full((B,), -1e30, tl.float32)
            total = tl.zeros((B,), tl.float32)
            chosen = tl.zeros((B,), tl.float32)
            for first in range(0, cols, B):
                col = first + lane
                v = tl.load(here + col * xc, mask=col < cols, other=-float("inf")).to(tl.float32) * LOG2E
                new = tl.maximum(peak, v)
                total = total * tl.exp2(peak - new) + tl.exp2(v - new)
                peak = new
                chosen += tl.where(col == target, v, 0.0)
            top = tl.max(peak, 0)
            whole = tl.sum(total * tl.exp2(peak - top), 0)
            tl.store(loss + row, (tl.log2(whole) + (top - tl.sum(chosen, 0))) / LOG2E)
            for first in range(0, cols, B):
                col = first + lane
                v = tl.load(here + col * xc, mask=col < cols, other=-float("inf")).to(tl.float32) * LOG2E
                g = tl.exp2(v - top) / whole - (col == target).to(tl.float32)
                tl.store(out + col, g, mask=col < cols)
        else:
            tl.store(loss + row, 0.0)
            for first in range(0, cols, B):
                tl.store(out + first + lane, tl.zeros((B,), tl.float32), mask=first + lane < cols)


def cross_entropy(logits, target, ignore_index=-100):
    rows, cols = logits.shape
    losses = torch.empty((rows,), dtype=torch.float32, device=logits.device)
    grad = torch.empty_like(logits, memory_format=torch.contiguous_format)
    if not grad.is_contiguous():
        grad = torch.empty((rows, cols), dtype=logits.dtype, device=logits.device)
    B = min(triton.next_power_of_2(cols), 4096)
    kernel[(min(rows, 16),)](
        losses, grad, logits, target, *logits.stride(), target.stride(0), rows, cols, ignore_index, B=B, num_warps=8
    )
    return losses, grad
