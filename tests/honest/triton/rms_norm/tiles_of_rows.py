"""Several short rows at once as a tile, strides instead of copies, x̂ rounded before the weight as Llama does."""

import torch
import triton
import triton.language as tl


@triton.jit
def norm(x_ptr, sr, sc, r, c, rows, d, eps):
    keep = (r < rows)[:, None] & (c < d)[None, :]
    x = tl.load(x_ptr + r[:, None].to(tl.int64) * sr + c[None, :] * sc, mask=keep, other=0.0)
    x = x.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(x * x, axis=1) / d + eps)
    return x * rstd[:, None], rstd, keep


@triton.jit
def forward_tile(y_ptr, x_ptr, w_ptr, sr, sc, sw, rows, d, eps, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    r, c = tl.program_id(0) * ROWS + tl.arange(0, ROWS), tl.arange(0, BLOCK)
    normed, _, keep = norm(x_ptr, sr, sc, r, c, rows, d, eps)
    w = tl.load(w_ptr + c * sw, mask=c < d, other=0.0)
    y = normed.to(w.dtype) * w[None, :]
    tl.store(y_ptr + r[:, None].to(tl.int64) * d + c[None, :], y, mask=keep)


@triton.jit
def backward_tile(
    dx_ptr, part_ptr, dy_ptr, x_ptr, w_ptr, gr, gc, sr, sc, sw, rows, d, eps, tiles, ROWS: tl.constexpr, BLOCK: tl.constexpr
):
    c = tl.arange(0, BLOCK)
    w = tl.load(w_ptr + c * sw, mask=c < d, other=0.0).to(tl.float32)
    total = tl.zeros([ROWS, BLOCK], tl.float32)
    for tile in range(tl.program_id(0), tiles, tl.num_programs(0)):
        r = tile * ROWS + tl.arange(0, ROWS)
        normed, rstd, keep = norm(x_ptr, sr, sc, r, c, rows, d, eps)
        dy = tl.load(dy_ptr + r[:, None].to(tl.int64) * gr + c[None, :] * gc, mask=keep, other=0.0).to(tl.float32)
        total += dy * normed
        dy *= w[None, :]
        dx = (dy - normed * (tl.sum(dy * normed, axis=1) / d)[:, None]) * rstd[:, None]
        tl.store(dx_ptr + r[:, None].to(tl.int64) * d + c[None, :], dx, mask=keep)
    tl.store(part_ptr + tl.program_id(0) * d + c, tl.sum(total, axis=0), mask=c < d)


@triton.jit
def add_up(w_ptr, part_ptr, parts, d, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    r, c = tl.arange(0, ROWS), tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    keep = (r < parts)[:, None] & (c < d)[None, :]
    tl.store(w_ptr + c, tl.sum(tl.load(part_ptr + r[:, None] * d + c[None, :], mask=keep, other=0.0), axis=0), mask=c < d)


def tiling(d):
    BLOCK = triton.next_power_of_2(d)
    return dict(ROWS=max(1, min(16, 1024 // BLOCK)), BLOCK=BLOCK, num_warps=max(4, min(16, BLOCK // 256)))


def rms_norm(x, weight, eps=1e-6):
    shape, d = x.shape, x.shape[-1]
    x = x.reshape(-1, d)
    how = tiling(d)
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    forward_tile[(triton.cdiv(len(x), how["ROWS"]),)](y, x, weight, *x.stride(), *weight.stride(), *x.shape, eps, **how)
    return y.view(shape)


def rms_norm_backward(dy, x, weight, eps=1e-6):
    shape, d = x.shape, x.shape[-1]
    x, dy = x.reshape(-1, d), dy.reshape(-1, d)
    how = tiling(d)
    tiles = triton.cdiv(len(x), how["ROWS"])
    programs = min(tiles, 128)
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    part = torch.empty(programs, d, device=x.device)
    backward_tile[(programs,)](
        dx, part, dy, x, weight, *dy.stride(), *x.stride(), *weight.stride(), *x.shape, eps, tiles, **how
    )
    dweight = torch.empty(d, dtype=weight.dtype, device=x.device)
    add_up[(triton.cdiv(d, 16),)](dweight, part, programs, d, ROWS=triton.next_power_of_2(programs), BLOCK=16)
    return dx.view(shape), dweight
