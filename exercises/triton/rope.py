"""RoPE kernel

Rotary position embedding: write a Triton kernel, and the function that launches it,
that turns the queries and keys of every head by the angles of their position. With
half = d / 2, a vector x at time t becomes

    y[i]        = x[i] cos[t, i] - x[i + half] sin[t, i]                    i < half
    y[i + half] = x[i + half] cos[t, i + half] + x[i] sin[t, i + half]

Dimensions i and i + half are a pair, as in Llama and transformers (rotate_half); the
paper pairs neighbours, 2i and 2i + 1.

Nothing but memory costs time here. Each element of q and k is loaded once and stored
once, and all heads of a token are turned by the same d cosines and d sines: load these
for all of them together, or at least for eight.

q, k      [b, h, t, d] and [b, h_k, t, d], all at least 1, d even; one dtype: float32,
          float16 or bfloat16; k may have fewer heads than q, or more
cos, sin  [t, d], float32 or of the dtype of q. In a model both halves of a row are the
          same; here they need not be
          All are finite, of any strides, each its own, and must not be changed.
result    (new_q, new_k), two new tensors with the shapes and the dtype of q and k

All arithmetic is float32; only results are rounded. The host allocates and launches,
once for q and k together: no product, chunk or cat there.

Source: Su et al. 2021, RoFormer, arXiv:2104.09864, §3.4.2; rotate_half in transformers, modeling_llama.py
"""

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

    # TODO (3 lines): `low`, `high`, float32 (BLOCK_H, BLOCK_D): both halves of every head
    raise NotImplementedError("halves")

    # TODO (2 lines): `new_low`, `new_high`: both halves of every head, turned
    raise NotImplementedError("rotation")

    # TODO (3 lines): write both to y, whose heads are `y_head` elements apart
    raise NotImplementedError("store")


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

    # TODO (6 lines): `cos_low`, `cos_high`, `sin_low`, `sin_high` (1, BLOCK_D): both halves of row `time`
    raise NotImplementedError("angles")

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

    # TODO (8 lines): `new_q`, `new_k`, new tensors; let the kernel fill them, a program for each token of each sequence
    raise NotImplementedError("launch")

    return new_q, new_k
