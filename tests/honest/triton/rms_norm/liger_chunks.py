"""As Liger does it: one program per multiprocessor with a chunk of neighbouring rows; partial sums added up by a kernel."""

import math

import torch
import triton
import triton.language as tl


@triton.jit
def _rms_norm_forward_kernel(Y_ptr, Y_row_stride, X_ptr, X_row_stride, W_ptr, n_cols, eps, BLOCK_SIZE: tl.constexpr):
    row_idx = tl.program_id(0).to(tl.int64)
    col_offsets = tl.arange(0, BLOCK_SIZE)
    mask = col_offsets < n_cols
    X_row = tl.load(X_ptr + row_idx * X_row_stride + col_offsets, mask=mask, other=0).to(tl.float32)
    W_row = tl.load(W_ptr + col_offsets, mask=mask, other=0).to(tl.float32)
    mean_square = tl.sum(X_row * X_row, axis=0) / n_cols
    rstd = tl.rsqrt(mean_square + eps)
    tl.store(Y_ptr + row_idx * Y_row_stride + col_offsets, X_row * rstd * W_row, mask=mask)


@triton.jit
def _rms_norm_backward_kernel(
    dY_ptr, dX_ptr, X_ptr, W_ptr, dW_ptr, dW_row_stride, n_rows, n_cols, eps, rows_per_program, BLOCK_SIZE: tl.constexpr
):
    row_block_id = tl.program_id(0).to(tl.int64)
    row_start = row_block_id * rows_per_program
    row_end = min((row_block_id + 1) * rows_per_program, n_rows)
    col_offsets = tl.arange(0, BLOCK_SIZE)
    mask = col_offsets < n_cols
    dW_row = tl.zeros((BLOCK_SIZE,), dtype=tl.float32)
    W_row = tl.load(W_ptr + col_offsets, mask=mask, other=0.0)
    for row_idx in range(row_start, row_end):
        dY_row = tl.load(dY_ptr + row_idx * n_cols + col_offsets, mask=mask, other=0.0).to(tl.float32)
        X_row = tl.load(X_ptr + row_idx * n_cols + col_offsets, mask=mask, other=0.0).to(tl.float32)
        rstd_row = tl.rsqrt(tl.sum(X_row * X_row, axis=0) / n_cols + eps)
        m = dY_row * W_row
        dX_row = rstd_row * m
        dX_row += rstd_row * (-(1 / n_cols) * rstd_row * rstd_row * tl.sum(m * X_row, axis=0) * X_row)
        dW_row += dY_row * (X_row * rstd_row)
        tl.store(dX_ptr + row_idx * n_cols + col_offsets, dX_row, mask=mask)
    tl.store(dW_ptr + row_block_id * dW_row_stride + col_offsets, dW_row, mask=mask)


@triton.jit
def _add_rows(out_ptr, in_ptr, n_rows, n_cols, BLOCK_SIZE: tl.constexpr):
    cols = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    total = tl.zeros((BLOCK_SIZE,), dtype=tl.float32)
    for row in range(n_rows):
        total += tl.load(in_ptr + row * n_cols + cols, mask=cols < n_cols, other=0.0)
    tl.store(out_ptr + cols, total, mask=cols < n_cols)


def settings(n):
    BLOCK_SIZE = triton.next_power_of_2(n)
    return BLOCK_SIZE, 16 if BLOCK_SIZE >= 4096 else 8 if BLOCK_SIZE >= 2048 else 4


def rms_norm(X, W, eps=1e-6):
    shape = X.shape
    X = X.contiguous().view(-1, shape[-1])
    n_rows, n_cols = X.shape
    BLOCK_SIZE, num_warps = settings(n_cols)
    Y = torch.empty((n_rows, n_cols), dtype=X.dtype, device=X.device)
    _rms_norm_forward_kernel[(n_rows,)](
        Y, Y.stride(0), X, X.stride(0), W.contiguous(), n_cols, eps, BLOCK_SIZE=BLOCK_SIZE, num_warps=num_warps
    )
    return Y.view(*shape)


def rms_norm_backward(dY, X, W, eps=1e-6):
    shape = dY.shape
    dY, X = dY.contiguous().view(-1, shape[-1]), X.contiguous().view(-1, shape[-1])
    n_rows, n_cols = dY.shape
    BLOCK_SIZE, num_warps = settings(n_cols)
    sm_count = 132
    rows_per_program = math.ceil(n_rows / sm_count)
    programs = math.ceil(n_rows / rows_per_program)
    _dW = torch.empty((programs, n_cols), dtype=torch.float32, device=W.device)
    dX = torch.empty_like(dY)
    _rms_norm_backward_kernel[(programs,)](
        dY, dX, X, W.contiguous(), _dW, _dW.stride(0), n_rows, n_cols, eps, rows_per_program,
        BLOCK_SIZE=BLOCK_SIZE, num_warps=num_warps,
    )
    dW = torch.empty(n_cols, dtype=W.dtype, device=W.device)
    _add_rows[(triton.cdiv(n_cols, 64),)](dW, _dW, programs, n_cols, BLOCK_SIZE=64, num_warps=2)
    return dX.view(*shape), dW
