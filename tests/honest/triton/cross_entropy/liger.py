"""As in Liger-Kernel, but for a gradient of its own: the target's logit first, m and d online, 1 subtracted at the end."""

import torch
import triton
import triton.language as tl


@triton.jit
def liger_cross_entropy_kernel(
    X_ptr, X_stride, X_col, G_ptr, Y_ptr, Y_stride, loss_ptr, n_cols, ignore_index, BLOCK_SIZE: tl.constexpr
):
    program_id = tl.program_id(0).to(tl.int64)
    y = tl.load(Y_ptr + program_id * Y_stride)
    X_ptr += program_id * X_stride
    G_ptr += program_id * n_cols

    if y == ignore_index:
        for i in range(0, n_cols, BLOCK_SIZE):
            X_offsets = i + tl.arange(0, BLOCK_SIZE)
            tl.store(G_ptr + X_offsets, 0.0, mask=X_offsets < n_cols)
        tl.store(loss_ptr + program_id, 0.0)
        return

    m = float("-inf")
    d = 0.0
    ori_X_y = tl.load(X_ptr + y * X_col).cast(tl.float32)
    for i in range(0, n_cols, BLOCK_SIZE):
        X_offsets = i + tl.arange(0, BLOCK_SIZE)
        X_block = tl.load(X_ptr + X_offsets * X_col, mask=X_offsets < n_cols, other=float("-inf")).cast(tl.float32)
        block_max = tl.max(X_block)
        m_new = tl.maximum(m, block_max)
        d = d * tl.exp(m - m_new) + tl.sum(tl.exp(X_block - m_new))
        m = m_new
    lse = m + tl.log(d)

    for i in range(0, n_cols, BLOCK_SIZE):
        X_offsets = i + tl.arange(0, BLOCK_SIZE)
        X_block = tl.load(X_ptr + X_offsets * X_col, mask=X_offsets < n_cols, other=float("-inf")).cast(tl.float32)
        X_block = tl.exp(X_block - m) / d
        X_block = tl.where(X_offsets != y, X_block, X_block - 1)
        tl.store(G_ptr + X_offsets, X_block, mask=X_offsets < n_cols)
    tl.store(loss_ptr + program_id, lse - ori_X_y)


def cross_entropy(logits, target, ignore_index=-100):
    n_rows, n_cols = logits.shape
    loss = torch.zeros(n_rows, dtype=torch.float32, device=logits.device)
    grad = torch.empty(logits.shape, dtype=logits.dtype, device=logits.device)
    liger_cross_entropy_kernel[(n_rows,)](
        logits, logits.stride(0), logits.stride(1), grad, target, target.stride(-1), loss, n_cols, ignore_index,
        BLOCK_SIZE=min(16384, triton.next_power_of_2(n_cols)), num_warps=32,
    )
    return loss, grad
