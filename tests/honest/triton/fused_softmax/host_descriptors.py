"""Tensor descriptors made on the host, of buffers whose rows are padded to the 16 bytes that they ask for."""

import torch
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor


@triton.jit
def softmax_kernel(x_desc, y_desc, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    x = x_desc.load([row, 0]).to(tl.float32)  # [1, BLOCK], zeros beyond the row
    x = tl.where(tl.arange(0, BLOCK)[None, :] < n_cols, x, -float("inf"))
    e = tl.exp(x - tl.max(x, axis=1, keep_dims=True))
    y = e / tl.sum(e, axis=1, keep_dims=True)
    y_desc.store([row, 0], y.to(y_desc.dtype))


def describable(x):
    """x itself, or a copy whose rows begin at multiples of 16 bytes."""
    if x.stride(1) == 1 and x.stride(0) * x.element_size() % 16 == 0 and x.data_ptr() % 16 == 0:
        return x
    wide = torch.empty((x.shape[0], triton.cdiv(x.shape[1], 16) * 16), dtype=x.dtype, device=x.device)
    return wide[:, : x.shape[1]].copy_(x)


def softmax(x):
    rows, cols = x.shape
    BLOCK = max(16, triton.next_power_of_2(cols))
    x = describable(x)
    y = describable(torch.empty((rows, cols), dtype=x.dtype, device=x.device))
    softmax_kernel[(rows,)](
        TensorDescriptor.from_tensor(x, [1, BLOCK]), TensorDescriptor.from_tensor(y, [1, BLOCK]), cols, BLOCK=BLOCK
    )
    return y
