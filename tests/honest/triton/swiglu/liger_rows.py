"""As Liger does it: a program for each row in one block, warps by its length, silu rounded to the dtype before the product."""

import torch
import triton
import triton.language as tl


@triton.jit
def silu(x):
    return x * tl.sigmoid(x)


@triton.jit
def swiglu_forward_kernel(a_ptr, b_ptr, c_ptr, a_stride, b_stride, stride, n_cols: tl.constexpr, BLOCK_SIZE: tl.constexpr):
    program_id = tl.program_id(0).to(tl.int64)
    a_ptr += program_id * a_stride
    b_ptr += program_id * b_stride
    c_ptr += program_id * stride
    col_offsets = tl.arange(0, BLOCK_SIZE)
    mask = col_offsets < n_cols
    a_row = tl.load(a_ptr + col_offsets, mask=mask, other=0).to(tl.float32)  # sigmoid requires type float32
    b_row = tl.load(b_ptr + col_offsets, mask=mask, other=0)
    c_row = silu(a_row).cast(b_row.dtype) * b_row
    tl.store(c_ptr + col_offsets, c_row, mask=mask)


@triton.jit
def swiglu_backward_kernel(
    dc_ptr, a_ptr, b_ptr, da_ptr, db_ptr, dc_stride, a_stride, b_stride, stride, n_cols: tl.constexpr, BLOCK_SIZE: tl.constexpr
):
    program_id = tl.program_id(0).to(tl.int64)
    col_offsets = tl.arange(0, BLOCK_SIZE)
    mask = col_offsets < n_cols
    dc_row = tl.load(dc_ptr + program_id * dc_stride + col_offsets, mask=mask, other=0).to(tl.float32)
    a_row = tl.load(a_ptr + program_id * a_stride + col_offsets, mask=mask, other=0).to(tl.float32)
    b_row = tl.load(b_ptr + program_id * b_stride + col_offsets, mask=mask, other=0).to(tl.float32)
    sig_a = tl.sigmoid(a_row)
    silu_a = a_row * sig_a
    db_row = dc_row * silu_a
    da_row = dc_row * (silu_a * (1 - sig_a) + sig_a) * b_row
    tl.store(da_ptr + program_id * stride + col_offsets, da_row, mask=mask)
    tl.store(db_ptr + program_id * stride + col_offsets, db_row, mask=mask)


def calculate_settings(n):
    BLOCK_SIZE = triton.next_power_of_2(n)
    num_warps = 4
    if BLOCK_SIZE >= 32768:
        num_warps = 32
    elif BLOCK_SIZE >= 8192:
        num_warps = 16
    elif BLOCK_SIZE >= 2048:
        num_warps = 8
    return BLOCK_SIZE, num_warps


def ensure_rows(*tensors):
    return [t if t.stride(-1) == 1 else t.contiguous() for t in tensors]


def swiglu(gate, up):
    a, b = ensure_rows(gate, up)
    n_cols = a.shape[-1]
    c = torch.empty(a.shape, dtype=a.dtype, device=a.device)
    BLOCK_SIZE, num_warps = calculate_settings(n_cols)
    swiglu_forward_kernel[(a.shape[0],)](
        a, b, c, a.stride(0), b.stride(0), c.stride(0), n_cols=n_cols, BLOCK_SIZE=BLOCK_SIZE, num_warps=num_warps
    )
    return c


def swiglu_backward(dy, gate, up):
    dc, a, b = ensure_rows(dy, gate, up)
    n_cols = dc.shape[-1]
    da, db = torch.empty(a.shape, dtype=a.dtype, device=a.device), torch.empty(a.shape, dtype=a.dtype, device=a.device)
    BLOCK_SIZE, num_warps = calculate_settings(n_cols)
    swiglu_backward_kernel[(dc.shape[0],)](
        dc, a, b, da, db, dc.stride(0), a.stride(0), b.stride(0), da.stride(0),
        n_cols=n_cols, BLOCK_SIZE=BLOCK_SIZE, num_warps=num_warps,
    )
    return da, db
