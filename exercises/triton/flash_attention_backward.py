"""FlashAttention backward kernels

The gradients of attention in memory that is linear in t: write the Triton kernels, and
the function that launches them. The forward pass has kept o = softmax(s) v and, of each
row, lse = log Σ_j exp(s_j), where s = q kᵀ / √d. From these every block of
probabilities is made again when it is needed:

    p  = exp(s - lse)           if causal, 0 where key j > row i
    dv = pᵀ do
    dp = do vᵀ
    ds = p ∘ (dp - delta)       delta_i = Σ_c do_ic o_ic, which is Σ_j p_ij dp_ij
    dq = ds k / √d
    dk = dsᵀ q / √d

A first kernel computes delta. In the second one a program has a block of keys and walks
over the queries, for dk and dv; in the third it has a block of queries and walks over
the keys, for dq. So no two programs write to one place.

do, q, k, v, o  [b, h, t, d]  of one dtype: float32, float16 or bfloat16; t ≥ 1 and
                              16 ≤ d ≤ 128, any numbers
lse             [b, h, t]     float32; all strides any, each tensor its own; all finite
result          (dq, dk, dv), new tensors [b, h, t, d] of the dtype of q; arguments stay

Take o and lse as given. Sums and exponentials are float32; p and ds may be rounded to
the dtype of q before a product. Products of float32 stay float32 (tl.dot:
input_precision="ieee"). Blocks that the causal mask hides as a whole are skipped. The
host allocates and launches; no t × t tensor. To do it with fewer kernels, adding to dq
by atomics, is as good.

Source: Dao 2023, FlashAttention-2, arXiv:2307.08691, Algorithm 2; Dao et al. 2022, arXiv:2205.14135, Algorithm 4
"""

import torch
import triton
import triton.language as tl


@triton.jit
def rows_of(ptr, strides, batch, head, ROWS: tl.constexpr, BLOCK_D: tl.constexpr):
    """Pointers (ROWS, BLOCK_D) to the first rows of one head of a tensor [b, h, t, d]."""
    row, dim = tl.arange(0, ROWS), tl.arange(0, BLOCK_D)
    ptr += batch * strides[0] + head * strides[1]
    return ptr + row[:, None] * strides[2] + dim[None, :] * strides[3]


@triton.jit
def store_rows(ptr, rows, batch, head, first, t, d: tl.constexpr):
    """Store rows of one head, from `first` on, into a contiguous tensor [b, h, t, d]."""
    row, dim = tl.arange(0, rows.shape[0]), tl.arange(0, rows.shape[1])
    ptr += ((batch * tl.num_programs(1) + head) * t + first) * d
    tl.store(ptr + row[:, None] * d + dim[None, :], rows, mask=(first + row[:, None] < t) & (dim[None, :] < d))


@triton.jit
def probabilities(product, row, key, lse, scale, t, CAUSAL: tl.constexpr):
    """From a block of q kᵀ its part of softmax(q kᵀ / √d); `row`, `key` and `lse` have an axis of length 1 each."""
    # TODO (4 lines): return the block of p, 0 where the row must not see the key
    raise NotImplementedError("probabilities")


@triton.jit
def delta_kernel(
    delta_ptr, do_ptr, o_ptr, do_strides, o_strides, t, d: tl.constexpr, BLOCK_Q: tl.constexpr, BLOCK_D: tl.constexpr
):
    """One program computes BLOCK_Q numbers of delta [b, h, t]."""
    first_row = tl.program_id(0) * BLOCK_Q
    head, batch = tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64)  # offsets may pass 2**31 elements
    row = first_row + tl.arange(0, BLOCK_Q)
    inside = (row < t)[:, None] & (tl.arange(0, BLOCK_D) < d)[None, :]
    first_row = first_row.to(tl.int64)
    do_rows = rows_of(do_ptr, do_strides, batch, head, BLOCK_Q, BLOCK_D) + first_row * do_strides[2]
    o_rows = rows_of(o_ptr, o_strides, batch, head, BLOCK_Q, BLOCK_D) + first_row * o_strides[2]
    do = tl.load(do_rows, mask=inside, other=0.0)
    o = tl.load(o_rows, mask=inside, other=0.0)

    # TODO (1 line): `delta` (BLOCK_Q,), float32
    raise NotImplementedError("delta")

    tl.store(delta_ptr + (batch * tl.num_programs(1) + head) * t + row, delta, mask=row < t)


@triton.jit
def dk_dv_kernel(
    dk_ptr, dv_ptr, do_ptr, q_ptr, k_ptr, v_ptr, lse_ptr, delta_ptr,
    do_strides, q_strides, k_strides, v_strides, lse_strides, delta_strides,
    t, scale, d: tl.constexpr, CAUSAL: tl.constexpr,
    BLOCK_Q: tl.constexpr, BLOCK_K: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """One program computes BLOCK_K rows of dk and dv, against BLOCK_Q queries at a time."""
    first_key = tl.program_id(0) * BLOCK_K
    head, batch = tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64)
    key = first_key + tl.arange(0, BLOCK_K)
    dim_inside = (tl.arange(0, BLOCK_D) < d)[None, :]
    k_rows = rows_of(k_ptr, k_strides, batch, head, BLOCK_K, BLOCK_D) + first_key.to(tl.int64) * k_strides[2]
    v_rows = rows_of(v_ptr, v_strides, batch, head, BLOCK_K, BLOCK_D) + first_key.to(tl.int64) * v_strides[2]
    k = tl.load(k_rows, mask=(key < t)[:, None] & dim_inside, other=0.0)
    v = tl.load(v_rows, mask=(key < t)[:, None] & dim_inside, other=0.0)
    q_rows = rows_of(q_ptr, q_strides, batch, head, BLOCK_Q, BLOCK_D)
    do_rows = rows_of(do_ptr, do_strides, batch, head, BLOCK_Q, BLOCK_D)
    lse_ptr += batch * lse_strides[0] + head * lse_strides[1]
    delta_ptr += batch * delta_strides[0] + head * delta_strides[1]
    dk = tl.zeros([BLOCK_K, BLOCK_D], tl.float32)
    dv = tl.zeros([BLOCK_K, BLOCK_D], tl.float32)

    # TODO (1 line): `start`, the first row of the loop: at the latest the first one that sees a key of the block
    raise NotImplementedError("queries_of_the_keys")

    for first_row in range(start, t, BLOCK_Q):
        row = first_row + tl.arange(0, BLOCK_Q)
        inside = (row < t)[:, None] & dim_inside
        q = tl.load(q_rows + first_row.to(tl.int64) * q_strides[2], mask=inside, other=0.0)  # (BLOCK_Q, BLOCK_D)
        do = tl.load(do_rows + first_row.to(tl.int64) * do_strides[2], mask=inside, other=0.0)
        lse = tl.load(lse_ptr + row * lse_strides[2], mask=row < t, other=0.0)  # (BLOCK_Q,)
        delta = tl.load(delta_ptr + row * delta_strides[2], mask=row < t, other=0.0)
        product = tl.dot(k, tl.trans(q), input_precision="ieee")  # (BLOCK_K, BLOCK_Q): as dk and dv need it
        p = probabilities(product, row[None, :], key[:, None], lse[None, :], scale, t, CAUSAL)

        # TODO (4 lines): add the part of these queries to `dk`, without 1 / √d, and `dv`; `p` is (BLOCK_K, BLOCK_Q)
        raise NotImplementedError("dk_dv")

    store_rows(dk_ptr, dk * scale, batch, head, first_key, t, d)
    store_rows(dv_ptr, dv, batch, head, first_key, t, d)


@triton.jit
def dq_kernel(
    dq_ptr, do_ptr, q_ptr, k_ptr, v_ptr, lse_ptr, delta_ptr,
    do_strides, q_strides, k_strides, v_strides, lse_strides, delta_strides,
    t, scale, d: tl.constexpr, CAUSAL: tl.constexpr,
    BLOCK_Q: tl.constexpr, BLOCK_K: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """One program computes BLOCK_Q rows of dq, against BLOCK_K keys at a time."""
    first_row = tl.program_id(0) * BLOCK_Q
    head, batch = tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64)
    row = first_row + tl.arange(0, BLOCK_Q)
    dim_inside = (tl.arange(0, BLOCK_D) < d)[None, :]
    q_rows = rows_of(q_ptr, q_strides, batch, head, BLOCK_Q, BLOCK_D) + first_row.to(tl.int64) * q_strides[2]
    do_rows = rows_of(do_ptr, do_strides, batch, head, BLOCK_Q, BLOCK_D) + first_row.to(tl.int64) * do_strides[2]
    q = tl.load(q_rows, mask=(row < t)[:, None] & dim_inside, other=0.0)
    do = tl.load(do_rows, mask=(row < t)[:, None] & dim_inside, other=0.0)
    lse_ptr += batch * lse_strides[0] + head * lse_strides[1]
    delta_ptr += batch * delta_strides[0] + head * delta_strides[1]
    lse = tl.load(lse_ptr + row * lse_strides[2], mask=row < t, other=0.0)
    delta = tl.load(delta_ptr + row * delta_strides[2], mask=row < t, other=0.0)
    k_rows = rows_of(k_ptr, k_strides, batch, head, BLOCK_K, BLOCK_D)
    v_rows = rows_of(v_ptr, v_strides, batch, head, BLOCK_K, BLOCK_D)
    dq = tl.zeros([BLOCK_Q, BLOCK_D], tl.float32)

    # TODO (1 line): `stop`, the end of the loop: behind the last key that a row of the block sees
    raise NotImplementedError("keys_of_the_queries")

    for first_key in range(0, stop, BLOCK_K):
        key = first_key + tl.arange(0, BLOCK_K)
        inside = (key < t)[:, None] & dim_inside
        k = tl.load(k_rows + first_key.to(tl.int64) * k_strides[2], mask=inside, other=0.0)  # (BLOCK_K, BLOCK_D)
        v = tl.load(v_rows + first_key.to(tl.int64) * v_strides[2], mask=inside, other=0.0)
        product = tl.dot(q, tl.trans(k), input_precision="ieee")  # (BLOCK_Q, BLOCK_K)
        p = probabilities(product, row[:, None], key[None, :], lse[:, None], scale, t, CAUSAL)

        # TODO (3 lines): add the part of these keys to `dq`, without 1 / √d; `p` is (BLOCK_Q, BLOCK_K)
        raise NotImplementedError("dq")

    store_rows(dq_ptr, dq * scale, batch, head, first_row, t, d)


def flash_attention_backward(
    do: torch.Tensor, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, o: torch.Tensor, lse: torch.Tensor,
    causal: bool = False,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """do, q, k, v, o [b, h, t, d], lse [b, h, t] -> dq, dk, dv [b, h, t, d], of o = softmax(q kᵀ / √d) v."""
    b, h, t, d = q.shape
    BLOCK, BLOCK_D = 32 if q.dtype == torch.float32 else 64, triton.next_power_of_2(d)
    sizes = {"BLOCK_Q": BLOCK, "BLOCK_D": BLOCK_D, "num_warps": 4 if BLOCK_D <= 64 else 8}  # so that no register spills

    # TODO (7 lines): `dq`, `dk`, `dv`, new tensors, and memory for delta; launch the three kernels
    raise NotImplementedError("launch")

    return dq, dk, dv
