import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# batch, heads of q, heads of k, time, dimension, dtype of q and k, of cos and sin.
SHAPES = {
    "one token of one head": (1, 1, 1, 1, 2, torch.float32, torch.float32),
    "several heads and sequences": (2, 4, 4, 3, 8, torch.float32, torch.float32),
    "fewer heads of keys": (2, 6, 2, 5, 16, torch.float32, torch.float32),
    "more heads of keys": (1, 3, 5, 4, 8, torch.float32, torch.float32),
    "no powers of two": (1, 5, 3, 3, 12, torch.float32, torch.float32),
    "many dimensions": (1, 3, 1, 2, 300, torch.float32, torch.float32),
    "many heads": (1, 130, 66, 1, 4, torch.float32, torch.float32),
    "many tokens": (1, 3, 1, 40, 4, torch.float32, torch.float32),
    "float16": (2, 4, 2, 3, 32, torch.float16, torch.float16),
    "bfloat16": (2, 4, 2, 3, 32, torch.bfloat16, torch.bfloat16),
    "bfloat16 by angles in float32": (2, 6, 2, 3, 32, torch.bfloat16, torch.float32),
}

# q [b, h, t, d] and k [b, h_k, t, d], each laid out in its own way.
LAYOUTS = {
    "time before heads": lambda: (torch.randn(2, 3, 4, 8).transpose(1, 2), torch.randn(2, 3, 2, 8).transpose(1, 2)),
    "parts of one projection": lambda: torch.randn(2, 3, 16, 8).transpose(1, 2).split([3, 3, 10], dim=1)[:2],
    "every other dimension": lambda: (torch.randn(2, 4, 3, 16)[..., ::2], torch.randn(2, 2, 3, 16)[..., 1::2]),
    "one head for all": lambda: (
        torch.randn(2, 1, 3, 8).expand(2, 5, 3, 8),
        torch.randn(2, 1, 3, 8).expand(2, 3, 3, 8),
    ),
}


def angles(t, d, dtype=torch.float32):
    """A table cos, sin [t, d]; the first position is not 0, and the second half turns faster than the first."""
    frequency = 10000.0 ** (-torch.arange(0, d, 2) / d)
    angle = (7 + torch.arange(t))[:, None] * torch.cat([frequency, 1.5 * frequency])
    return angle.cos().to(dtype), angle.sin().to(dtype)


def draw(b, h, h_k, t, d, dtype=torch.float32, angle_dtype=torch.float32):
    return torch.randn(b, h, t, d).to(dtype), torch.randn(b, h_k, t, d).to(dtype), *angles(t, d, angle_dtype)


@pytest.mark.parametrize("case", SHAPES)
def test_shape(check, case):
    check("rope", *draw(*SHAPES[case]))


@pytest.mark.parametrize("case", LAYOUTS)
def test_layout(check, case):
    check("rope", *LAYOUTS[case](), *angles(3, 8))


def test_halves_of_cos_and_sin_differ(check):
    q, k, _, _ = draw(1, 3, 1, 3, 8)
    check("rope", q, k, *torch.randn(2, 3, 8))


def test_a_table_laid_out_by_dimension(check):
    q, k, cos, sin = draw(1, 3, 1, 5, 8)
    check("rope", q, k, cos.T.contiguous().T, torch.cat([sin, sin], dim=1)[:, :8])


def test_costs(check):
    check.costs("rope(bfloat16[1, 128, 512, 128], bfloat16[1, 8, 512, 128], float32[512, 128], float32[512, 128])")


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    b, h, h_k, t, half = 3, random.randint(9, 12), random.randint(3, 7), random.randint(6, 9), random.randint(17, 40)
    dtype = random.choice([torch.float16, torch.bfloat16])
    check("rope", *draw(b, h, h_k, t, 2 * half))
    check("rope", *draw(1, h, h_k, 5 * t, 2 * random.randint(1, 4), dtype, random.choice([dtype, torch.float32])))
    q, k, cos, sin = draw(t, h_k, h, b, 2 * random.randint(129, 150), dtype)
    check("rope", q.mT.contiguous().mT, k.transpose(0, 1).contiguous().transpose(0, 1), cos, sin)


@reference("rope", compute=torch.float32)
def definition(q, k, cos, sin):
    def rotate_half(x):
        low, high = x.chunk(2, dim=-1)
        return torch.cat([-high, low], dim=-1)

    return q * cos + rotate_half(q) * sin, k * cos + rotate_half(k) * sin


@mistake("rotate")
def pairs_neighbours(
    y_ptr, x_ptr, y_head, x_head, x_dim, cos_low, cos_high, sin_low, sin_high,
    heads, half, BLOCK_H: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    head = tl.arange(0, BLOCK_H)[:, None].to(tl.int64)
    dim = tl.arange(0, BLOCK_D)[None, :].to(tl.int64)
    inside = (head < heads) & (dim < half)
    x_ptr += head * x_head
    even = tl.load(x_ptr + 2 * dim * x_dim, mask=inside, other=0.0).to(tl.float32)
    odd = tl.load(x_ptr + (2 * dim + 1) * x_dim, mask=inside, other=0.0).to(tl.float32)
    y_ptr += head * y_head
    tl.store(y_ptr + 2 * dim, even * cos_low - odd * sin_low, mask=inside)
    tl.store(y_ptr + 2 * dim + 1, odd * cos_low + even * sin_low, mask=inside)


@mistake(blank="angles")
def takes_halves_for_equal(cos_ptr, sin_ptr, time, cos_t, sin_t, cos_d, sin_d, dim, half):
    cos_low = tl.load(cos_ptr + time * cos_t + dim * cos_d, mask=dim < half, other=0.0).to(tl.float32)
    sin_low = tl.load(sin_ptr + time * sin_t + dim * sin_d, mask=dim < half, other=0.0).to(tl.float32)
    cos_high, sin_high = cos_low, sin_low


@mistake(blank="angles")
def angles_of_the_first_token(cos_ptr, sin_ptr, cos_d, sin_d, dim, half):
    cos_low = tl.load(cos_ptr + dim * cos_d, mask=dim < half, other=0.0).to(tl.float32)
    cos_high = tl.load(cos_ptr + (half + dim) * cos_d, mask=dim < half, other=0.0).to(tl.float32)
    sin_low = tl.load(sin_ptr + dim * sin_d, mask=dim < half, other=0.0).to(tl.float32)
    sin_high = tl.load(sin_ptr + (half + dim) * sin_d, mask=dim < half, other=0.0).to(tl.float32)


@mistake(blank="angles")
def angles_without_mask(cos_ptr, sin_ptr, time, cos_t, sin_t, cos_d, sin_d, dim, half):
    cos_ptr += time * cos_t
    sin_ptr += time * sin_t
    cos_low = tl.load(cos_ptr + dim * cos_d).to(tl.float32)
    cos_high = tl.load(cos_ptr + (half + dim) * cos_d).to(tl.float32)
    sin_low = tl.load(sin_ptr + dim * sin_d).to(tl.float32)
    sin_high = tl.load(sin_ptr + (half + dim) * sin_d).to(tl.float32)


@mistake(blank="angles")
def one_layout_for_cos_and_sin(cos_ptr, sin_ptr, time, cos_t, cos_d, dim, half):
    place = time * cos_t + dim * cos_d
    cos_low = tl.load(cos_ptr + place, mask=dim < half, other=0.0).to(tl.float32)
    cos_high = tl.load(cos_ptr + place + half * cos_d, mask=dim < half, other=0.0).to(tl.float32)
    sin_low = tl.load(sin_ptr + place, mask=dim < half, other=0.0).to(tl.float32)
    sin_high = tl.load(sin_ptr + place + half * cos_d, mask=dim < half, other=0.0).to(tl.float32)


@mistake(blank="halves")
def takes_dimensions_for_neighbours(x_ptr, head, x_head, dim, half, inside):
    x_ptr += head * x_head
    low = tl.load(x_ptr + dim, mask=inside, other=0.0).to(tl.float32)
    high = tl.load(x_ptr + half + dim, mask=inside, other=0.0).to(tl.float32)


@mistake(blank="halves")
def loads_without_mask(x_ptr, head, x_head, dim, x_dim, half):
    x_ptr += head * x_head
    low = tl.load(x_ptr + dim * x_dim).to(tl.float32)
    high = tl.load(x_ptr + (half + dim) * x_dim).to(tl.float32)


@mistake(blank="rotation")
def rotates_backwards(low, high, cos_low, cos_high, sin_low, sin_high):
    new_low = low * cos_low + high * sin_low
    new_high = high * cos_high - low * sin_high


@mistake(blank="rotation")
def forgets_the_sign(low, high, cos_low, cos_high, sin_low, sin_high):
    new_low = low * cos_low + high * sin_low
    new_high = high * cos_high + low * sin_high


@mistake(blank="rotation")
def multiplies_by_sin_without_turning(low, high, cos_low, cos_high, sin_low, sin_high):
    new_low = low * cos_low - low * sin_low
    new_high = high * cos_high + high * sin_high


@mistake(blank="rotation")
def swaps_cos_and_sin(low, high, cos_low, cos_high, sin_low, sin_high):
    new_low = low * sin_low - high * cos_low
    new_high = high * sin_high + low * cos_high


@mistake(blank="rotation")
def turns_the_turned(low, high, cos_low, cos_high, sin_low, sin_high):
    low = low * cos_low - high * sin_low
    high = high * cos_high + low * sin_high
    new_low, new_high = low, high


@mistake(blank="rotation", rounding=True)
def computes_in_half(low, high, cos_low, cos_high, sin_low, sin_high, y_ptr):
    half_low, half_high = low.to(y_ptr.dtype.element_ty), high.to(y_ptr.dtype.element_ty)
    new_low = half_low * cos_low.to(half_low.dtype) - half_high * sin_low.to(half_low.dtype)
    new_high = half_high * cos_high.to(half_low.dtype) + half_low * sin_high.to(half_low.dtype)


@mistake(blank="store")
def stores_without_mask(y_ptr, y_head, head, dim, half, new_low, new_high):
    y_ptr += head * y_head
    tl.store(y_ptr + dim, new_low)
    tl.store(y_ptr + half + dim, new_high)


@mistake(blank="store")
def swaps_halves(y_ptr, y_head, head, dim, half, inside, new_low, new_high):
    y_ptr += head * y_head
    tl.store(y_ptr + dim, new_high, mask=inside)
    tl.store(y_ptr + half + dim, new_low, mask=inside)


@mistake(blank="store")
def stores_by_strides_of_x(y_ptr, x_head, x_dim, head, dim, half, inside, new_low, new_high):
    y_ptr += head * x_head
    tl.store(y_ptr + dim * x_dim, new_low, mask=inside)
    tl.store(y_ptr + (half + dim) * x_dim, new_high, mask=inside)


@mistake(blank="launch")
def strides_of_q_for_k(q, k, cos, sin, b, q_heads, k_heads, t, d, rope_kernel):
    new_q = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    new_k = torch.empty(k.shape, dtype=q.dtype, device=q.device)
    rope_kernel[(t, b)](
        new_q, new_k, q, k, cos, sin, *q.stride(), *q.stride(), *cos.stride(), *sin.stride(), q_heads, k_heads, t, d,
        BLOCK_Q=triton.next_power_of_2(q_heads), BLOCK_K=triton.next_power_of_2(k_heads),
        BLOCK_D=triton.next_power_of_2(d // 2),
    )  # fmt: skip


@mistake(blank="launch")
def as_many_keys_as_queries(q, k, cos, sin, b, q_heads, t, d, rope_kernel):
    new_q = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    new_k = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    rope_kernel[(t, b)](
        new_q, new_k, q, k, cos, sin, *q.stride(), *k.stride(), *cos.stride(), *sin.stride(), q_heads, q_heads, t, d,
        BLOCK_Q=triton.next_power_of_2(q_heads), BLOCK_K=triton.next_power_of_2(q_heads),
        BLOCK_D=triton.next_power_of_2(d // 2),
    )  # fmt: skip


@mistake(blank="launch")
def results_laid_out_as_inputs(q, k, cos, sin, b, q_heads, k_heads, t, d, rope_kernel):
    new_q, new_k = torch.empty_like(q), torch.empty_like(k)
    rope_kernel[(t, b)](
        new_q, new_k, q, k, cos, sin, *q.stride(), *k.stride(), *cos.stride(), *sin.stride(), q_heads, k_heads, t, d,
        BLOCK_Q=triton.next_power_of_2(q_heads), BLOCK_K=triton.next_power_of_2(k_heads),
        BLOCK_D=triton.next_power_of_2(d // 2),
    )  # fmt: skip


@mistake(blank="launch")
def works_in_place(q, k, cos, sin, b, q_heads, k_heads, t, d, rope_kernel):
    new_q, new_k = q, k
    rope_kernel[(t, b)](
        new_q, new_k, q, k, cos, sin, *q.stride(), *k.stride(), *cos.stride(), *sin.stride(), q_heads, k_heads, t, d,
        BLOCK_Q=triton.next_power_of_2(q_heads), BLOCK_K=triton.next_power_of_2(k_heads),
        BLOCK_D=triton.next_power_of_2(d // 2),
    )  # fmt: skip


@mistake(blank="launch")
def returns_the_dtype_of_cos(q, k, cos, sin, b, q_heads, k_heads, t, d, rope_kernel):
    new_q = torch.empty(q.shape, dtype=cos.dtype, device=q.device)
    new_k = torch.empty(k.shape, dtype=cos.dtype, device=q.device)
    rope_kernel[(t, b)](
        new_q, new_k, q, k, cos, sin, *q.stride(), *k.stride(), *cos.stride(), *sin.stride(), q_heads, k_heads, t, d,
        BLOCK_Q=triton.next_power_of_2(q_heads), BLOCK_K=triton.next_power_of_2(k_heads),
        BLOCK_D=triton.next_power_of_2(d // 2),
    )  # fmt: skip


@mistake(blank="launch")
def block_of_half_dimensions(q, k, cos, sin, b, q_heads, k_heads, t, d, rope_kernel):
    new_q = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    new_k = torch.empty(k.shape, dtype=q.dtype, device=q.device)
    rope_kernel[(t, b)](
        new_q, new_k, q, k, cos, sin, *q.stride(), *k.stride(), *cos.stride(), *sin.stride(), q_heads, k_heads, t, d,
        BLOCK_Q=q_heads, BLOCK_K=k_heads, BLOCK_D=d // 2,
    )  # fmt: skip


@mistake(blank="launch")
def a_launch_for_each(q, k, cos, sin, b, q_heads, k_heads, t, d, rope_kernel):
    new_q = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    new_k = torch.empty(k.shape, dtype=q.dtype, device=q.device)
    for heads in ((q_heads, 0), (0, k_heads)):
        rope_kernel[(t, b)](
            new_q, new_k, q, k, cos, sin, *q.stride(), *k.stride(), *cos.stride(), *sin.stride(), *heads, t, d,
            BLOCK_Q=triton.next_power_of_2(q_heads), BLOCK_K=triton.next_power_of_2(k_heads),
            BLOCK_D=triton.next_power_of_2(d // 2),
        )  # fmt: skip


@mistake("rotate")
def loads_each_half_twice(
    y_ptr, x_ptr, y_head, x_head, x_dim, cos_low, cos_high, sin_low, sin_high,
    heads, half, BLOCK_H: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    head = tl.arange(0, BLOCK_H)[:, None].to(tl.int64)
    dim = tl.arange(0, BLOCK_D)[None, :].to(tl.int64)
    inside = (head < heads) & (dim < half)
    x_ptr += head * x_head
    y_ptr += head * y_head
    x = tl.load(x_ptr + dim * x_dim, mask=inside, other=0.0).to(tl.float32)
    turned = tl.load(x_ptr + (half + dim) * x_dim, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + dim, x * cos_low - turned * sin_low, mask=inside)
    x = tl.load(x_ptr + (half + dim) * x_dim, mask=inside, other=0.0).to(tl.float32)
    turned = tl.load(x_ptr + dim * x_dim, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + half + dim, x * cos_high + turned * sin_high, mask=inside)


@mistake("rope_kernel")
def angles_for_every_head(
    new_q_ptr, new_k_ptr, q_ptr, k_ptr, cos_ptr, sin_ptr, q_b, q_h, q_t, q_d, k_b, k_h, k_t, k_d,
    cos_t, cos_d, sin_t, sin_d, q_heads, k_heads, t, d,
    BLOCK_Q: tl.constexpr, BLOCK_K: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    time, batch = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    half = d // 2
    dim = tl.arange(0, BLOCK_D)[None, :].to(tl.int64)
    new_head = tl.cast(t, tl.int64) * d
    for head in range(q_heads + k_heads):
        cos_low = tl.load(cos_ptr + time * cos_t + dim * cos_d, mask=dim < half)
        cos_high = tl.load(cos_ptr + time * cos_t + (half + dim) * cos_d, mask=dim < half)
        sin_low = tl.load(sin_ptr + time * sin_t + dim * sin_d, mask=dim < half)
        sin_high = tl.load(sin_ptr + time * sin_t + (half + dim) * sin_d, mask=dim < half)
        if head < q_heads:
            y_ptr = new_q_ptr + (batch * q_heads + head) * new_head + time * d
            x_ptr = q_ptr + batch * q_b + head * q_h + time * q_t
            rotate(y_ptr, x_ptr, 0, 0, q_d, cos_low, cos_high, sin_low, sin_high, 1, half, 1, BLOCK_D)  # noqa: F821
        else:
            y_ptr = new_k_ptr + (batch * k_heads + head - q_heads) * new_head + time * d
            x_ptr = k_ptr + batch * k_b + (head - q_heads) * k_h + time * k_t
            rotate(y_ptr, x_ptr, 0, 0, k_d, cos_low, cos_high, sin_low, sin_high, 1, half, 1, BLOCK_D)  # noqa: F821


@mistake(blank="launch")
def one_warp(q, k, cos, sin, b, q_heads, k_heads, t, d, rope_kernel):
    new_q = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    new_k = torch.empty(k.shape, dtype=q.dtype, device=q.device)
    rope_kernel[(t, b)](
        new_q, new_k, q, k, cos, sin, *q.stride(), *k.stride(), *cos.stride(), *sin.stride(), q_heads, k_heads, t, d,
        BLOCK_Q=triton.next_power_of_2(q_heads), BLOCK_K=triton.next_power_of_2(k_heads),
        BLOCK_D=triton.next_power_of_2(d // 2), num_warps=1,
    )  # fmt: skip
