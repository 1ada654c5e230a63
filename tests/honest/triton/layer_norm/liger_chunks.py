"""As Liger does it: rows in chunks, one program per multiprocessor; sums of dweight and dbias added up by a kernel."""

import math

import torch
import triton
import triton.language as tl
from triton.language.extra.libdevice import rsqrt


@triton.jit
def _layer_norm_forward_kernel(Y_ptr, X_ptr, W_ptr, B_ptr, stride, n_cols, eps, BLOCK_SIZE: tl.constexpr):
    row_idx = tl.program_id(0).to(tl.int64)
    col_offsets = tl.arange(0, BLOCK_SIZE)
    mask = col_offsets < n_cols
    W_row = tl.load(W_ptr + col_offsets, mask=mask, other=0.0)
    B_row = tl.load(B_ptr + col_offsets, mask=mask, other=0.0)
    X_row = tl.load(X_ptr + row_idx * stride + col_offsets, mask=mask, other=0.0)
    X_f32 = X_row.to(tl.float32)
    mean = tl.sum(X_f32, axis=0) / n_cols
    X_centered = X_f32 - mean
    X_centered_masked = tl.where(mask, X_centered, 0.0)
    var = tl.sum(X_centered_masked * X_centered_masked, axis=0) / n_cols
    rstd = rsqrt(var + eps)
    output = X_centered * rstd * W_row.to(tl.float32) + B_row.to(tl.float32)
    tl.store(Y_ptr + row_idx * stride + col_offsets, output.to(X_row.dtype), mask=mask)


@triton.jit
def _layer_norm_backward_kernel(
    X_ptr, W_ptr, DX_ptr, DW_ptr, DB_ptr, DY_ptr, stride, stride_dw, n_rows, n_cols, eps,
    rows_per_program: tl.constexpr, BLOCK_SIZE: tl.constexpr,
):
    row_block_id = tl.program_id(0).to(tl.int64)
    row_start = row_block_id * rows_per_program
    row_end = min((row_block_id + 1) * rows_per_program, n_rows)
    cols = tl.arange(0, BLOCK_SIZE)
    mask = cols < n_cols
    dW_row = tl.zeros((BLOCK_SIZE,), dtype=tl.float32)
    db_row = tl.zeros((BLOCK_SIZE,), dtype=tl.float32)
    w = tl.load(W_ptr + cols, mask=mask, other=0.0).to(tl.float32)
    for row_idx in range(row_start, row_end):
        x = tl.load(X_ptr + row_idx * stride + cols, mask=mask, other=0.0).to(tl.float32)
        dy = tl.load(DY_ptr + row_idx * stride + cols, mask=mask, other=0.0).to(tl.float32)
        mean = tl.sum(x, axis=0) / n_cols
        x = tl.where(mask, x - mean, 0.0)
        rstd = rsqrt(tl.sum(x * x, axis=0) / n_cols + eps)
        x_hat = x * rstd
        wdy = w * dy
        c1 = tl.sum(x_hat * wdy, axis=0) / n_cols
        c2 = tl.sum(wdy, axis=0) / n_cols
        dx = (wdy - (x_hat * c1 + c2)) * rstd
        tl.store(DX_ptr + row_idx * stride + cols, dx, mask=mask)
        dW_row += dy * x_hat
        db_row += dy
    tl.store(DW_ptr + row_block_id * stride_dw + cols, dW_row, mask=mask)
    tl.store(DB_ptr + row_block_id * stride_dw + cols, db_row, mask=mask)


@triton.jit
def _add_rows(out_ptr, in_ptr, n_rows, n_cols, BLOCK_SIZE: tl.constexpr):
    cols = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    which = tl.program_id(1)
    total = tl.zeros((BLOCK_SIZE,), dtype=tl.float32)
    for row in range(n_rows):
        total += tl.load(in_ptr + (which * n_rows + row) * n_cols + cols, mask=cols < n_cols, other=0.0)
    tl.store(out_ptr + which * n_cols + cols, total, mask=cols < n_cols)


def settings(n):
    BLOCK_SIZE = triton.next_power_of_2(n)
    return BLOCK_SIZE, 16 if BLOCK_SIZE >= 4096 else 8 if BLOCK_SIZE >= 2048 else 4


def layer_norm(X, W, B, eps=1e-5):
    shape = X.shape
    X = X.contiguous().view(-1, shape[-1])
    n_rows, n_cols = X.shape
    BLOCK_SIZE, num_warps = settings(n_cols)
    Y = torch.empty((n_rows, n_cols), dtype=X.dtype, device=X.device)
    _layer_norm_forward_kernel[(n_rows,)](
        Y, X, W.contiguous(), B.contiguous(), n_cols, n_cols, eps, BLOCK_SIZE=BLOCK_SIZE, num_warps=num_warps
    )
    return Y.view(*shape)


def layer_norm_backward(dY, X, W, eps=1e-5):
    shape = dY.shape
    dY, X = dY.contiguous().view(-1, shape[-1]), X.contiguous().view(-1, shape[-1])
    n_rows, n_cols = dY.shape
    BLOCK_SIZE, num_warps = settings(n_cols)
    rows_per_program = math.ceil(n_rows / 132)
    programs = math.ceil(n_rows / rows_per_program)
    parts = torch.empty((2, programs, n_cols), dtype=torch.float32, device=W.device)
    dX = torch.empty_like(dY)
    _layer_norm_backward_kernel[(programs,)](
        X, W.contiguous(), dX, parts[0], parts[1], dY, n_cols, n_cols, n_rows, n_cols, eps,
        rows_per_program=rows_per_program, BLOCK_SIZE=BLOCK_SIZE, num_warps=num_warps,
    )
    sums = torch.empty((2, n_cols), dtype=W.dtype, device=W.device)
    _add_rows[(triton.cdiv(n_cols, 64), 2)](sums, parts, programs, n_cols, BLOCK_SIZE=64, num_warps=2)
    return dX.view(*shape), sums[0], sums[1]
