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
    # BLANK probabilities
    visible = key < t
    if CAUSAL:
        visible &= key <= row
    return tl.where(visible, tl.exp(product * scale - lse), 0.0)
    # END


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

    # BLANK delta
    delta = tl.sum(do.to(tl.float32) * o.to(tl.float32), axis=1)  # (BLOCK_Q,)
    # END

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

    # BLANK queries_of_the_keys
    start = first_key if CAUSAL else 0  # earlier rows see none of these keys
    # END

    for first_row in range(start, t, BLOCK_Q):
        row = first_row + tl.arange(0, BLOCK_Q)
        inside = (row < t)[:, None] & dim_inside
        q = tl.load(q_rows + first_row.to(tl.int64) * q_strides[2], mask=inside, other=0.0)  # (BLOCK_Q, BLOCK_D)
        do = tl.load(do_rows + first_row.to(tl.int64) * do_strides[2], mask=inside, other=0.0)
        lse = tl.load(lse_ptr + row * lse_strides[2], mask=row < t, other=0.0)  # (BLOCK_Q,)
        delta = tl.load(delta_ptr + row * delta_strides[2], mask=row < t, other=0.0)
        product = tl.dot(k, tl.trans(q), input_precision="ieee")  # (BLOCK_K, BLOCK_Q): as dk and dv need it
        p = probabilities(product, row[None, :], key[:, None], lse[None, :], scale, t, CAUSAL)

        # BLANK dk_dv
        dv = tl.dot(p.to(do.dtype), do, dv, input_precision="ieee")
        dp = tl.dot(v, tl.trans(do), input_precision="ieee")  # (BLOCK_K, BLOCK_Q)
        ds = p * (dp - delta[None, :])
        dk = tl.dot(ds.to(q.dtype), q, dk, input_precision="ieee")
        # END

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

    # BLANK keys_of_the_queries
    stop = tl.minimum(t, first_row + BLOCK_Q) if CAUSAL else t  # later keys are seen by none of these rows
    # END

    for first_key in range(0, stop, BLOCK_K):
        key = first_key + tl.arange(0, BLOCK_K)
        inside = (key < t)[:, None] & dim_inside
        k = tl.load(k_rows + first_key.to(tl.int64) * k_strides[2], mask=inside, other=0.0)  # (BLOCK_K, BLOCK_D)
        v = tl.load(v_rows + first_key.to(tl.int64) * v_strides[2], mask=inside, other=0.0)
        product = tl.dot(q, tl.trans(k), input_precision="ieee")  # (BLOCK_Q, BLOCK_K)
        p = probabilities(product, row[:, None], key[None, :], lse[:, None], scale, t, CAUSAL)

        # BLANK dq
        dp = tl.dot(do, tl.trans(v), input_precision="ieee")  # (BLOCK_Q, BLOCK_K)
        ds = p * (dp - delta[:, None])
        dq = tl.dot(ds.to(k.dtype), k, dq, input_precision="ieee")
        # END

    store_rows(dq_ptr, dq * scale, batch, head, first_row, t, d)


def flash_attention_backward(
    do: torch.Tensor, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, o: torch.Tensor, lse: torch.Tensor,
    causal: bool = False,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """do, q, k, v, o [b, h, t, d], lse [b, h, t] -> dq, dk, dv [b, h, t, d], of o = softmax(q kᵀ / √d) v."""
    b, h, t, d = q.shape
    BLOCK, BLOCK_D = 32 if q.dtype == torch.float32 else 64, triton.next_power_of_2(d)
    sizes = {"BLOCK_Q": BLOCK, "BLOCK_D": BLOCK_D, "num_warps": 4 if BLOCK_D <= 64 else 8}  # so that no register spills

    # BLANK launch
    dq, dk, dv = (torch.empty((b, h, t, d), dtype=q.dtype, device=q.device) for _ in range(3))
    delta = torch.empty((b, h, t), dtype=torch.float32, device=q.device)
    grid = (triton.cdiv(t, BLOCK), h, b)
    strides = (do.stride(), q.stride(), k.stride(), v.stride(), lse.stride(), delta.stride())
    delta_kernel[grid](delta, do, o, do.stride(), o.stride(), t, d, **sizes)
    dk_dv_kernel[grid](dk, dv, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)
    dq_kernel[grid](dq, do, q, k, v, lse, delta, *strides, t, d**-0.5, d, causal, BLOCK_K=BLOCK, **sizes)
    # END

    return dq, dk, dv
