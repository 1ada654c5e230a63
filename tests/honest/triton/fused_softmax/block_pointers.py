"""Block pointers with boundary checks; the padding replaced by -inf with tl.where."""

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(x_ptr, y_ptr, M, N, stride_xm, stride_xn, stride_ym, stride_yn, BLOCK_N: tl.constexpr):
    row = tl.program_id(0)
    x_block = tl.make_block_ptr(
        base=x_ptr,
        shape=(M, N),
        strides=(stride_xm, stride_xn),
        offsets=(row, 0),
        block_shape=(1, BLOCK_N),
        order=(1, 0),
    )
    x = tl.load(x_block, boundary_check=(0, 1), padding_option="zero").to(tl.float32)
    x = tl.where(tl.arange(0, BLOCK_N)[None, :] < N, x, float("-inf"))
    x = tl.exp(x - tl.max(x, axis=1)[:, None])
    x = x / tl.sum(x, axis=1)[:, None]
    y_block = tl.make_block_ptr(y_ptr, (M, N), (stride_ym, stride_yn), (row, 0), (1, BLOCK_N), (1, 0))
    tl.store(y_block, x.to(y_ptr.dtype.element_ty), boundary_check=(0, 1))


def softmax(x):
    M, N = x.shape
    y = torch.zeros((M, N), dtype=x.dtype, device=x.device)
    softmax_kernel[(M,)](x, y, M, N, x.stride(0), x.stride(1), y.stride(0), y.stride(1), triton.next_power_of_2(N))
    return y
