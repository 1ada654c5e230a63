import random

import pytest
import torch

from clozekit.grading import mistake, reference

LAYOUTS = "half", "interleaved"


def out_of_order(b, t):
    return torch.randperm(3 * t)[:t] // 2  # some of them twice


def padded(b, t):
    """Each sequence ends at its own place; what stands before its first token has position 0."""
    return (torch.arange(t) - torch.arange(b)[:, None]).clamp(min=0)


def far_along(b, t):
    return torch.arange(t) + random.randint(20_000, 30_000)


# batch, heads of q, heads of k, tokens, features, the positions of (b, t). Sizes differ, so that a mistaken axis shows.
SHAPES = {
    "one sequence": (1, 2, 2, 5, 8, lambda b, t: torch.arange(t)),
    "fewer heads of keys": (2, 6, 3, 5, 8, lambda b, t: torch.arange(t)),
    "one token after a cache": (2, 3, 3, 1, 8, lambda b, t: torch.tensor([37])),
    "one pair": (2, 3, 3, 5, 2, lambda b, t: torch.arange(t)),
    "an odd number of pairs": (2, 3, 3, 4, 10, lambda b, t: torch.arange(t)),
    "positions out of order": (2, 3, 3, 5, 8, out_of_order),
    "positions of each sequence": (2, 4, 3, 5, 8, padded),
    "as many sequences as heads": (3, 3, 3, 5, 8, padded),
    "far along a text": (1, 2, 2, 4, 16, far_along),
}


def draw(b=2, h=4, h_k=3, t=5, d=8, dtype=torch.float32):
    """q [b, h, t, d] and k [b, h_k, t, d]."""
    return torch.randn(b, h, t, d).to(dtype), torch.randn(b, h_k, t, d).to(dtype)


@pytest.mark.parametrize("case", SHAPES)
def test_half(check, case):
    *sizes, positions = SHAPES[case]
    b, _, _, t, _ = sizes
    check("apply_rope", *draw(*sizes), positions(b, t), 10000.0, "half")


@pytest.mark.parametrize("case", SHAPES)
def test_interleaved(check, case):
    *sizes, positions = SHAPES[case]
    b, _, _, t, _ = sizes
    check("apply_rope", *draw(*sizes), positions(b, t), 10000.0, "interleaved")


def test_base_and_layout_by_default(check):
    check("apply_rope", *draw(), torch.arange(5))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_another_base(check, layout):
    check("apply_rope", *draw(), torch.arange(5), 500_000.0, layout)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(check, dtype):
    """From 257 on bfloat16 has no odd numbers, and from 2049 on float16 has none."""
    check("apply_rope", *draw(d=32, dtype=dtype), torch.arange(2049, 2054), 10000.0, random.choice(LAYOUTS))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_products_that_cancel(check, dtype):
    """Every pair turns nearly onto its second axis: what a product or a cosine was rounded by is most of the first."""
    layout, positions = random.choice(LAYOUTS), torch.arange(1, 6)
    angles = positions[:, None] * 10000.0 ** (-torch.arange(16) / 16)

    def draw_nearly(h):
        pairs = torch.stack([angles.sin(), angles.cos()], dim=-1) + 0.05 * torch.randn(2, h, 5, 16, 2)
        return (pairs.mT if layout == "half" else pairs).flatten(-2).to(dtype)

    check("apply_rope", draw_nearly(4), draw_nearly(3), positions, 10000.0, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_heads_after_time_in_memory(check, layout):
    """As a projection leaves them: [b, t, h, d], transposed."""
    q, k = torch.randn(2, 5, 4, 8), torch.randn(2, 5, 3, 8)
    check("apply_rope", q.transpose(1, 2), k.transpose(1, 2), torch.arange(5), 10000.0, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients(check, layout):
    check("apply_rope", *draw(), padded(2, 5) + 3, 10000.0, layout, gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, of another layout, base and dtype, so that a table that is kept is wrong for the next."""
    d, t = 2 * random.randint(33, 70), random.randint(9, 20)
    positions = torch.randint(5000, 9000, (t,))
    q, k = draw(1, random.randint(2, 3), 1, t, d)
    base = 10 ** random.uniform(3, 6)
    for layout in random.sample(LAYOUTS, 2):
        check("apply_rope", q, k, positions, base, layout)
    check("apply_rope", q, k, positions + torch.arange(t) % 2, base, "half")

    half, b = random.choice([torch.float16, torch.bfloat16]), random.randint(4, 6)
    rows = torch.randint(0, 4000, (b, t))
    check("apply_rope", *draw(b, 3, b, t, 6, half), rows, 10 ** random.uniform(2, 5), random.choice(LAYOUTS))
    many = draw(b, random.randint(9, 12), random.randint(2, 4), 3, 2 * random.randint(2, 5))
    check("apply_rope", *many, rows[:, :3], 10 ** random.uniform(2, 5), random.choice(LAYOUTS), gradients=True)
    check("apply_rope", *many, rows[0, :3], 10 ** random.uniform(2, 5), random.choice(LAYOUTS))


@reference("apply_rope", compute=torch.float32)
def definition(q, k, positions, base=10000.0, layout="half"):
    """A pair is a complex number, and a rotation by an angle its product with e^(i angle): eq. 12 of the paper."""

    def rotated(x):
        b, h, t, d = x.shape
        pairs = x.unflatten(-1, (2, d // 2)).mT if layout == "half" else x.unflatten(-1, (d // 2, 2))
        theta = torch.tensor(base) ** (-2 * torch.arange(d // 2) / d)
        angles = (positions.double().expand(b, t)[..., None] * theta)[:, None]
        turned = torch.complex(*pairs.unbind(-1)) * torch.polar(torch.ones_like(angles), angles)
        parts = torch.stack([turned.real, turned.imag], dim=-1)  # [b, h, t, d/2, 2]
        return (parts.mT if layout == "half" else parts).flatten(-2)

    return rotated(q), rotated(k)


@mistake(blank="frequencies")
def ignores_base(q, d):
    theta = 10000.0 ** -(torch.arange(0, d, 2, device=q.device) / d)


@mistake(blank="frequencies")
def exponent_half_as_fast(q, base, d):
    theta = base ** -(torch.arange(d // 2, device=q.device) / d)


@mistake(blank="frequencies")
def exponent_twice_as_fast(q, base, d):
    theta = base ** -(torch.arange(0, d, 2, device=q.device) / (d // 2))


@mistake(blank="frequencies")
def frequencies_grow(q, base, d):
    theta = base ** (torch.arange(0, d, 2, device=q.device) / d)


@mistake(blank="frequencies")
def exponent_from_one(q, base, d):
    theta = base ** -(torch.arange(2, d + 2, 2, device=q.device) / d)


@mistake(blank="angles")
def counts_from_zero(q, theta):
    angles = torch.arange(q.shape[-2], device=q.device)[:, None] * theta
    cos, sin = angles.cos(), angles.sin()


@mistake(blank="angles")
def counts_from_one(positions, theta):
    angles = (positions + 1)[..., None, :, None] * theta
    cos, sin = angles.cos(), angles.sin()


@mistake(blank="angles")
def starts_at_the_first_position(q, positions, theta):
    steps = torch.arange(q.shape[-2], device=q.device)
    angles = (positions[..., :1] + steps)[..., None, :, None] * theta
    cos, sin = angles.cos(), angles.sin()


@mistake(blank="angles")
def positions_of_the_first_sequence(positions, theta):
    row = positions if positions.ndim == 1 else positions[0]
    angles = row[:, None] * theta
    cos, sin = angles.cos(), angles.sin()


@mistake(blank="angles")
def sequences_for_heads(positions, theta):
    angles = positions[..., None] * theta
    cos, sin = angles.cos(), angles.sin()


@mistake(blank="angles")
def angles_in_half(q, positions, theta):
    angles = positions.to(q.dtype)[..., None, :, None] * theta.to(q.dtype)
    cos, sin = angles.cos(), angles.sin()


@mistake(blank="angles")
def swaps_cos_and_sin(positions, theta):
    angles = positions[..., None, :, None] * theta
    cos, sin = angles.sin(), angles.cos()


@mistake("apply_rope")
def rotates_the_queries_only(q, k, positions, base=10000.0, layout="half"):
    d = q.shape[-1]
    theta = base ** -(torch.arange(0, d, 2, device=q.device) / d)
    angles = positions[..., None, :, None] * theta
    return rotate(q, angles.cos(), angles.sin(), layout), k.clone()  # noqa: F821


@mistake("rotate")
def always_interleaved(x, cos, sin, layout):
    first, second = x.float()[..., 0::2], x.float()[..., 1::2]
    turned = torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1)
    return turned.flatten(-2).to(x.dtype)


@mistake("rotate")
def always_half(x, cos, sin, layout):
    first, second = x.float().chunk(2, dim=-1)
    turned = torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
    return turned.to(x.dtype)


@mistake("rotate")
def angles_of_the_other_layout(x, cos, sin, layout):
    wide = x.float()
    if layout == "half":
        first, second = wide.chunk(2, dim=-1)
        other = torch.cat([-second, first], dim=-1)
        cos, sin = cos.repeat_interleave(2, dim=-1), sin.repeat_interleave(2, dim=-1)
    else:
        other = torch.stack([-wide[..., 1::2], wide[..., 0::2]], dim=-1).flatten(-2)
        cos, sin = torch.cat([cos, cos], dim=-1), torch.cat([sin, sin], dim=-1)
    return (wide * cos + other * sin).to(x.dtype)


@mistake(blank="pairs")
def rotates_in_half(x, cos, sin, layout):
    if layout == "half":
        first, second = x.chunk(2, dim=-1)
    else:
        first, second = x[..., 0::2], x[..., 1::2]
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)


@mistake(blank="rotation")
def rotates_backwards(first, second, cos, sin):
    new_first = first * cos + second * sin
    new_second = second * cos - first * sin


@mistake(blank="rotation")
def forgets_the_sign(first, second, cos, sin):
    new_first = first * cos + second * sin
    new_second = second * cos + first * sin


@mistake(blank="rotation")
def multiplies_without_turning(first, second, cos, sin):
    new_first = first * cos
    new_second = second * sin


@mistake(blank="rotation")
def adds_the_positions(first, second, cos, sin):
    new_first = first + sin
    new_second = second + cos


@mistake(blank="rotation")
def turns_the_turned(first, second, cos, sin):
    new_first = first * cos - second * sin
    new_second = second * cos + new_first * sin


@mistake(blank="rotation")
def changes_its_inputs(first, second, cos, sin):
    kept = first.clone()
    new_first = first.mul_(cos).sub_(second * sin)
    new_second = second.mul_(cos).add_(kept * sin)


@mistake(blank="join")
def joins_always_as_halves(x, new_first, new_second):
    return torch.cat([new_first, new_second], dim=-1).to(x.dtype)


@mistake(blank="join")
def joins_always_as_neighbours(x, new_first, new_second):
    return torch.stack([new_first, new_second], dim=-1).flatten(-2).to(x.dtype)


@mistake(blank="join")
def returns_float32(new_first, new_second, layout):
    if layout == "half":
        return torch.cat([new_first, new_second], dim=-1)
    return torch.stack([new_first, new_second], dim=-1).flatten(-2)
