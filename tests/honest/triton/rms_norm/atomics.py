"""One launch backward: programs of 16 rows and more add their sums to zeros by atomics; the host converts the sum."""

import torch
import triton
import triton.language as tl


@triton.jit
def forward(x_ptr, w_ptr, y_ptr, d, eps, BLOCK: tl.constexpr):
    cols = tl.arange(0, BLOCK)
    keep = cols < d
    x_ptr += tl.program_id(0).to(tl.int64) * d
    y_ptr += tl.program_id(0).to(tl.int64) * d
    x = tl.load(x_ptr + cols, mask=keep, other=0.0).to(tl.float32)
    r = 1 / tl.sqrt(tl.sum(x * x) / d + eps)
    tl.store(y_ptr + cols, x * r * tl.load(w_ptr + cols, mask=keep, other=0.0), mask=keep)


@triton.jit
def backward(dy_ptr, x_ptr, w_ptr, dx_ptr, dw_ptr, rows, d, eps, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    cols = tl.arange(0, BLOCK)
    keep = cols < d
    w = tl.load(w_ptr + cols, mask=keep, other=0.0).to(tl.float32)
    dw = tl.zeros([BLOCK], tl.float32)
    first = tl.program_id(0).to(tl.int64) * ROWS
    for row in tl.range(first, tl.minimum(first + ROWS, rows)):
        at = row * d + cols
        x = tl.load(x_ptr + at, mask=keep, other=0.0).to(tl.float32)
        dy = tl.load(dy_ptr + at, mask=keep, other=0.0).to(tl.float32)
        r = 1 / tl.sqrt(tl.sum(x * x) / d + eps)
        dw += dy * x * r
        tl.store(dx_ptr + at, (dy * w - x * r * r * tl.sum(dy * w * x) / d) * r, mask=keep)
    tl.atomic_add(dw_ptr + cols, dw, mask=keep, sem="relaxed")


def rms_norm(x, weight, eps=1e-6):
    x, weight = x.contiguous(), weight.contiguous()
    d = x.size(-1)
    y = torch.empty_like(x)
    BLOCK = triton.next_power_of_2(d)
    forward[(x.numel() // d,)](x, weight, y, d, eps, BLOCK=BLOCK, num_warps=8 if BLOCK > 2048 else 4)
    return y


def rms_norm_backward(dy, x, weight, eps=1e-6):
    dy, x, weight = dy.contiguous(), x.contiguous(), weight.contiguous()
    d = x.size(-1)
    rows, BLOCK = x.numel() // d, triton.next_power_of_2(d)
    dx = torch.empty_like(x)
    dw = torch.zeros(d, dtype=torch.float32, device=x.device)
    backward[(triton.cdiv(rows, 16),)](
        dy, x, weight, dx, dw, rows, d, eps, ROWS=16, BLOCK=BLOCK, num_warps=16 if BLOCK > 2048 else 4
    )
    return dx, dw.to(weight.dtype)
