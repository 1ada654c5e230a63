"""A program for each 8192 classes: right, but one launch finds their peaks and totals and a second one joins them.

Verdict: failed, meter-launches
"""

import torch
import triton
import triton.language as tl


@triton.jit
def statistics(part, x, y, xr, xc, yr, cols, parts, ignore, B: tl.constexpr):
    row, at = tl.program_id(0).to(tl.int64), tl.program_id(1)
    if tl.load(y + row * yr) == ignore:
        return
    col = at * B + tl.arange(0, B)
    v = tl.load(x + row * xr + col * xc, mask=col < cols, other=-float("inf")).to(tl.float32)
    peak = tl.max(v, 0)
    tl.store(part + (row * parts + at) * 2, peak)
    tl.store(part + (row * parts + at) * 2 + 1, tl.sum(tl.exp(v - peak), 0))


@triton.jit
def gradient(loss, grad, part, x, y, xr, xc, yr, cols, parts, ignore, B: tl.constexpr, P: tl.constexpr):
    row, at = tl.program_id(0).to(tl.int64), tl.program_id(1)
    col = at * B + tl.arange(0, B)
    target = tl.load(y + row * yr)
    if target == ignore:
        tl.store(grad + row * cols + col, 0.0, mask=col < cols)
        tl.store(loss + row, 0.0, mask=at == 0)
        return
    p = tl.arange(0, P)
    peaks = tl.load(part + (row * parts + p) * 2, mask=p < parts, other=-float("inf"))
    totals = tl.load(part + (row * parts + p) * 2 + 1, mask=p < parts, other=0.0)
    peak = tl.max(peaks, 0)
    total = tl.sum(totals * tl.exp(peaks - peak), 0)
    v = tl.load(x + row * xr + col * xc, mask=col < cols, other=-float("inf")).to(tl.float32)
    tl.store(grad + row * cols + col, tl.exp(v - peak) / total - (col == target), mask=col < cols)
    if at == 0:
        tl.store(loss + row, tl.log(total) + (peak - tl.load(x + row * xr + target * xc).to(tl.float32)))


def cross_entropy(logits, target, ignore_index=-100):
    rows, cols = logits.shape
    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    grad = torch.empty((rows, cols), dtype=logits.dtype, device=logits.device)
    B = min(triton.next_power_of_2(cols), 8192)
    parts = triton.cdiv(cols, B)
    part = torch.empty((rows, parts, 2), dtype=torch.float32, device=logits.device)
    where = (logits, target, *logits.stride(), target.stride(0), cols, parts, ignore_index)
    statistics[(rows, parts)](part, *where, B=B, num_warps=max(B // 512, 1))
    gradient[(rows, parts)](
        losses, grad, part, *where, B=B, P=triton.next_power_of_2(parts), num_warps=max(B // 512, 1)
    )
    return losses, grad
