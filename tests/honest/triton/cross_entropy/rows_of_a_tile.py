"""Several short rows, or one long one, in a tile of a program; ignored rows masked, not branched around; block and warps tuned."""

import torch
import triton
import triton.language as tl


def tiles():
    return [triton.Config({"B": b}, num_warps=warps) for b, warps in ((4096, 8), (8192, 16))]


@triton.autotune(configs=tiles(), key=["cols"])
@triton.jit
def kernel(loss, grad, x, y, xr, xc, yr, rows, cols, ignore, R: tl.constexpr, B: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    target = tl.load(y + row * yr, mask=row < rows, other=ignore)
    counts = (row < rows) & (target != ignore)
    lane = tl.arange(0, B)
    peak = tl.full([R], -1e38, tl.float32)
    total = tl.zeros([R], tl.float32)
    for first in tl.range(0, cols, B):
        col = first + lane
        here = counts[:, None] & (col < cols)[None, :]
        v = tl.load(x + row[:, None] * xr + col[None, :] * xc, mask=here, other=-float("inf")).to(tl.float32)
        new = tl.maximum(peak, tl.max(v, axis=1))
        total = total * tl.exp(peak - new) + tl.sum(tl.exp(v - new[:, None]), axis=1)
        peak = new
    chosen = tl.load(x + row * xr + target * xc, mask=counts, other=0.0).to(tl.float32)
    tl.store(loss + row, tl.where(counts, tl.log(total) - (chosen - peak), 0.0), mask=row < rows)
    for first in tl.range(0, cols, B):
        col = first + lane
        inside = (row < rows)[:, None] & (col < cols)[None, :]
        v = tl.load(x + row[:, None] * xr + col[None, :] * xc, mask=inside & counts[:, None], other=-float("inf")).to(
            tl.float32
        )
        p = tl.exp(v - peak[:, None]) / total[:, None] - (col[None, :] == target[:, None]).to(tl.float32)
        tl.store(grad + row[:, None] * cols + col[None, :], tl.where(counts[:, None], p, 0.0), mask=inside)


def cross_entropy(logits, target, ignore_index=-100):
    rows, cols = logits.shape
    losses = logits.new_empty(rows, dtype=torch.float32)
    grad = torch.empty_like(logits, memory_format=torch.contiguous_format)
    R = 1 if cols > 256 else 2
    kernel[(triton.cdiv(rows, R),)](
        losses, grad, logits, target, *logits.stride(), target.stride(0), rows, cols, ignore_index, R=R
    )
    return losses, grad
