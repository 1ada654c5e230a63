"""One launch backward: programs of 16 rows and more add both sums to zeros by atomics; the host converts them together."""

import torch
import triton
import triton.language as tl


@triton.jit
def forward(x_ptr, w_ptr, b_ptr, y_ptr, d, eps, BLOCK: tl.constexpr):
    cols = tl.arange(0, BLOCK)
    keep = cols < d
    x_ptr += tl.program_id(0).to(tl.int64) * d
    y_ptr += tl.program_id(0).to(tl.int64) * d
    x = tl.load(x_ptr + cols, mask=keep, other=0.0).to(tl.float32)
    x = tl.where(keep, x - tl.sum(x) / d, 0.0)
    r = 1 / tl.sqrt(tl.sum(x * x) / d + eps)
    w = tl.load(w_ptr + cols, mask=keep, other=0.0)
    tl.store(y_ptr + cols, x * r * w + tl.load(b_ptr + cols, mask=keep, other=0.0), mask=keep)


@triton.jit
def backward(dy_ptr, x_ptr, w_ptr, dx_ptr, sums_ptr, rows, d, eps, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    cols = tl.arange(0, BLOCK)
    keep = cols < d
    w = tl.load(w_ptr + cols, mask=keep, other=0.0).to(tl.float32)
    dw, db = tl.zeros([BLOCK], tl.float32), tl.zeros([BLOCK], tl.float32)
    first = tl.program_id(0).to(tl.int64) * ROWS
    for row in tl.range(first, tl.minimum(first + ROWS, rows)):
        at = row * d + cols
        x = tl.load(x_ptr + at, mask=keep, other=0.0).to(tl.float32)
        dy = tl.load(dy_ptr + at, mask=keep, other=0.0).to(tl.float32)
        x = tl.where(keep, x - tl.sum(x) / d, 0.0)
        r = 1 / tl.sqrt(tl.sum(x * x) / d + eps)
        dw += dy * x * r
        db += dy
        dy *= w
        tl.store(dx_ptr + at, (dy - x * r * r * tl.sum(dy * x) / d - tl.sum(dy) / d) * r, mask=keep)
    tl.atomic_add(sums_ptr + cols, dw, mask=keep, sem="relaxed")
    tl.atomic_add(sums_ptr + d + cols, db, mask=keep, sem="relaxed")


def layer_norm(x, weight, bias, eps=1e-5):
    x, weight, bias = x.contiguous(), weight.contiguous(), bias.contiguous()
    d = x.size(-1)
    y = torch.empty_like(x)
    BLOCK = triton.next_power_of_2(d)
    forward[(x.numel() // d,)](x, weight, bias, y, d, eps, BLOCK=BLOCK, num_warps=8 if BLOCK > 2048 else 4)
    return y


def layer_norm_backward(dy, x, weight, eps=1e-5):
    dy, x, weight = dy.contiguous(), x.contiguous(), weight.contiguous()
    d = x.size(-1)
    rows, BLOCK = x.numel() // d, triton.next_power_of_2(d)
    dx = torch.empty_like(x)
    sums = torch.zeros((2, d), dtype=torch.float32, device=x.device)
    backward[(triton.cdiv(rows, 16),)](
        dy, x, weight, dx, sums, rows, d, eps, ROWS=16, BLOCK=BLOCK, num_warps=16 if BLOCK > 2048 else 4
    )
    dw, db = sums.to(weight.dtype)
    return dx, dw, db
