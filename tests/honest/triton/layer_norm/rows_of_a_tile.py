"""Several short rows at once as a tile, strides instead of copies, and sums that a tile of programs leaves behind."""

import torch
import triton
import triton.language as tl


@triton.jit
def normalised(x_ptr, sr, sc, r, c, rows, d, eps):
    keep = (r < rows)[:, None] & (c < d)[None, :]
    x = tl.load(x_ptr + r[:, None].to(tl.int64) * sr + c[None, :] * sc, mask=keep, other=0.0).to(tl.float32)
    mean = tl.sum(x, axis=1, keep_dims=True) / d
    x = tl.where(c[None, :] < d, x - mean, 0.0)
    rstd = tl.rsqrt(tl.sum(x * x, axis=1, keep_dims=True) / d + eps)
    return x * rstd, rstd, keep


@triton.jit
def forward_tile(y_ptr, x_ptr, w_ptr, b_ptr, sr, sc, sw, sb, rows, d, eps, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    r, c = tl.program_id(0) * ROWS + tl.arange(0, ROWS), tl.arange(0, BLOCK)
    normed, _, keep = normalised(x_ptr, sr, sc, r, c, rows, d, eps)
    w = tl.load(w_ptr + c * sw, mask=c < d, other=0.0).to(tl.float32)
    b = tl.load(b_ptr + c * sb, mask=c < d, other=0.0).to(tl.float32)
    tl.store(y_ptr + r[:, None].to(tl.int64) * d + c[None, :], tl.fma(normed, w[None, :], b[None, :]), mask=keep)


@triton.jit
def backward_tile(
    dx_ptr, dw_ptr, db_ptr, dy_ptr, x_ptr, w_ptr, gr, gc, sr, sc, sw, rows, d, eps, tiles,
    ROWS: tl.constexpr, BLOCK: tl.constexpr,
):
    c = tl.arange(0, BLOCK)
    w = tl.load(w_ptr + c * sw, mask=c < d, other=0.0).to(tl.float32)[None, :]
    dw = tl.zeros([BLOCK], tl.float32)
    db = tl.zeros([BLOCK], tl.float32)
    for tile in range(tl.program_id(0), tiles, tl.num_programs(0)):
        r = tile * ROWS + tl.arange(0, ROWS)
        normed, rstd, keep = normalised(x_ptr, sr, sc, r, c, rows, d, eps)
        dy = tl.load(dy_ptr + r[:, None].to(tl.int64) * gr + c[None, :] * gc, mask=keep, other=0.0).to(tl.float32)
        dw += tl.sum(dy * normed, axis=0)
        db += tl.sum(dy, axis=0)
        dy *= w
        inner = tl.sum(dy * normed, axis=1, keep_dims=True)
        dx = (dy - (normed * inner + tl.sum(dy, axis=1, keep_dims=True)) / d) * rstd
        tl.store(dx_ptr + r[:, None].to(tl.int64) * d + c[None, :], dx, mask=keep)
    tl.store(dw_ptr + tl.program_id(0) * d + c, dw, mask=c < d)
    tl.store(db_ptr + tl.program_id(0) * d + c, db, mask=c < d)


@triton.jit
def add_up(dw_ptr, db_ptr, dw_parts, db_parts, parts, d, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    r, c = tl.arange(0, ROWS), tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    at, keep = r[:, None] * d + c[None, :], (r < parts)[:, None] & (c < d)[None, :]
    tl.store(dw_ptr + c, tl.sum(tl.load(dw_parts + at, mask=keep, other=0.0), axis=0), mask=c < d)
    tl.store(db_ptr + c, tl.sum(tl.load(db_parts + at, mask=keep, other=0.0), axis=0), mask=c < d)


def tiling(d):
    BLOCK = triton.next_power_of_2(d)
    return dict(ROWS=max(1, min(16, 1024 // BLOCK)), BLOCK=BLOCK, num_warps=max(4, min(16, BLOCK // 256)))


def layer_norm(x, weight, bias, eps=1e-5):
    shape, d = x.shape, x.shape[-1]
    x = x.reshape(-1, d)
    how = tiling(d)
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    forward_tile[(triton.cdiv(len(x), how["ROWS"]),)](
        y, x, weight, bias, *x.stride(), *weight.stride(), *bias.stride(), *x.shape, eps, **how
    )
    return y.view(shape)


def layer_norm_backward(dy, x, weight, eps=1e-5):
    shape, d = x.shape, x.shape[-1]
    x, dy = x.reshape(-1, d), dy.reshape(-1, d)
    how = tiling(d)
    tiles = triton.cdiv(len(x), how["ROWS"])
    programs = min(tiles, 128)
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    dw_parts, db_parts = torch.empty(programs, d, device=x.device), torch.empty(programs, d, device=x.device)
    backward_tile[(programs,)](
        dx, dw_parts, db_parts, dy, x, weight, *dy.stride(), *x.stride(), *weight.stride(), *x.shape, eps, tiles, **how
    )
    dweight, dbias = (torch.empty(d, dtype=weight.dtype, device=x.device) for _ in range(2))
    add_up[(triton.cdiv(d, 16),)](
        dweight, dbias, dw_parts, db_parts, programs, d, ROWS=triton.next_power_of_2(programs), BLOCK=16
    )
    return dx.view(shape), dweight, dbias
