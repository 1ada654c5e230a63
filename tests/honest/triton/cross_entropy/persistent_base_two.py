"""Programs that loop over rows, their losses taken in base two, the second pass from the end of the row, where the cache still has it."""

import torch
import triton
import triton.language as tl


LOG2E = tl.constexpr(1.4426950408889634)


@triton.jit
def one_row(loss, grad, x, xc, target, ignore, cols, B: tl.constexpr):
    lane = tl.arange(0, B)
    blocks = tl.cdiv(cols, B)
    if target == ignore:
        tl.store(loss, 0.0)
        for at in range(blocks):
            tl.store(grad + at * B + lane, tl.zeros([B], tl.float32), mask=at * B + lane < cols)
    else:
        peak = float("-inf")
        total = 0.0
        for at in range(blocks):
            v = tl.load(x + (at * B + lane) * xc, mask=at * B + lane < cols, other=float("-inf")).to(tl.float32)
            new = tl.maximum(peak, tl.max(v))
            total = total * tl.exp2((peak - new) * LOG2E) + tl.sum(tl.exp2((v - new) * LOG2E))
            peak = new
        chosen = tl.load(x + target * xc).to(tl.float32)
        tl.store(loss, tl.log2(total) / LOG2E - (chosen - peak))
        scale = 1.0 / total
        for back in range(blocks):
            col = (blocks - 1 - back) * B + lane
            v = tl.load(x + col * xc, mask=col < cols, other=float("-inf")).to(tl.float32)
            tl.store(grad + col, tl.exp2((v - peak) * LOG2E) * scale - tl.where(col == target, 1, 0), mask=col < cols)


@triton.jit
def kernel(losses, grads, logits, targets, xr, xc, yr, rows, cols, ignore, B: tl.constexpr):
    for row in tl.range(tl.program_id(0).to(tl.int64), rows, tl.num_programs(0)):
        target = tl.load(targets + row * yr)
        one_row(losses + row, grads + row * cols, logits + row * xr, xc, target, ignore, cols, B)


def cross_entropy(logits, target, ignore_index=-100):
    rows, cols = logits.shape
    losses = torch.empty((rows,), dtype=torch.float32, device=logits.device)
    grads = torch.empty((rows, cols), dtype=logits.dtype, device=logits.device)
    B = min(triton.next_power_of_2(cols), 8192)
    kernel[(min(rows, 264),)](
        losses, grads, logits, target, *logits.stride(), target.stride(0), rows, cols, ignore_index, B=B, num_warps=8
    )
    return losses, grads
