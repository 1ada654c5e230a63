import torch
import triton
import triton.language as tl


@triton.jit
def rotate(
    y_ptr, x_ptr,  # of one token
    y_head, x_head, x_dim,  # strides of y over heads, of x over heads and dimensions
    cos_low, cos_high, sin_low, sin_high,  # (1, BLOCK_D) each, of dimensions 0 … half - 1, and of half … d - 1
    heads, half, BLOCK_H: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Rotate all heads of one token: x [heads, d] -> y [heads, d], whose dimensions lie side by side."""
    head = tl.arange(0, BLOCK_H)[:, None].to(tl.int64)  # (BLOCK_H, 1); offsets may pass 2**31 elements
    dim = tl.arange(0, BLOCK_D)[None, :].to(tl.int64)  # (1, BLOCK_D)
    inside = (head < heads) & (dim < half)

    # BLANK halves
    x_ptr += head * x_head
    low = tl.load(x_ptr + dim * x_dim, mask=inside).to(tl.float32)  # (BLOCK_H, BLOCK_D)
    high = tl.load(x_ptr + (half + dim) * x_dim, mask=inside).to(tl.float32)
    # END

    # BLANK rotation
    new_low = low * cos_low - high * sin_low
    new_high = high * cos_high + low * sin_high
    # END

    # BLANK store
    y_ptr += head * y_head
    tl.store(y_ptr + dim, new_low, mask=inside)  # rounds to the dtype of y
    tl.store(y_ptr + half + dim, new_high, mask=inside)
    # END


@triton.jit
def rope_kernel(
    new_q_ptr, new_k_ptr, q_ptr, k_ptr, cos_ptr, sin_ptr,
    q_b, q_h, q_t, q_d,  # strides of q over batch, head, time and dimension
    k_b, k_h, k_t, k_d,
    cos_t, cos_d, sin_t, sin_d,
    q_heads, k_heads, t, d,
    BLOCK_Q: tl.constexpr, BLOCK_K: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """One program rotates all heads of q and k at one time of one sequence: they share cosines and sines."""
    time, batch = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    half = d // 2
    dim = tl.arange(0, BLOCK_D)[None, :].to(tl.int64)  # (1, BLOCK_D), a power of two, at least half

    # BLANK angles
    cos_ptr += time * cos_t
    sin_ptr += time * sin_t
    cos_low = tl.load(cos_ptr + dim * cos_d, mask=dim < half)  # (1, BLOCK_D)
    cos_high = tl.load(cos_ptr + (half + dim) * cos_d, mask=dim < half)
    sin_low = tl.load(sin_ptr + dim * sin_d, mask=dim < half)
    sin_high = tl.load(sin_ptr + (half + dim) * sin_d, mask=dim < half)
    # END

    new_head = tl.cast(t, tl.int64) * d  # the stride of both results over heads
    rotate(
        new_q_ptr + batch * q_heads * new_head + time * d, q_ptr + batch * q_b + time * q_t, new_head, q_h, q_d,
        cos_low, cos_high, sin_low, sin_high, q_heads, half, BLOCK_Q, BLOCK_D,
    )  # fmt: skip
    rotate(
        new_k_ptr + batch * k_heads * new_head + time * d, k_ptr + batch * k_b + time * k_t, new_head, k_h, k_d,
        cos_low, cos_high, sin_low, sin_high, k_heads, half, BLOCK_K, BLOCK_D,
    )  # fmt: skip


def rope(q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """q [b, h, t, d], k [b, h_k, t, d] -> both rotated by the angles of their times, whose cos and sin are [t, d]."""
    (b, q_heads, t, d), k_heads = q.shape, k.shape[1]

    # BLANK launch
    new_q = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    new_k = torch.empty(k.shape, dtype=q.dtype, device=q.device)
    BLOCK_Q, BLOCK_D = triton.next_power_of_2(q_heads), triton.next_power_of_2(d // 2)
    rope_kernel[(t, b)](
        new_q, new_k, q, k, cos, sin, *q.stride(), *k.stride(), *cos.stride(), *sin.stride(), q_heads, k_heads, t, d,
        BLOCK_Q=BLOCK_Q, BLOCK_K=triton.next_power_of_2(k_heads), BLOCK_D=BLOCK_D,
        num_warps=min(max(BLOCK_Q * BLOCK_D // 512, 1), 16),  # 16 pairs of q per thread; many more would not fit
    )  # fmt: skip
    # END

    return new_q, new_k
