import random

import pytest
import torch
import torch.nn.functional as F

from clozekit.grading import decoders, mistake, reference

# batch, tokens, width, heads, heads of keys, inner width. Sizes differ, so that an axis taken for another one shows.
SIZES = {
    "two groups of three heads": (2, 5, 24, 6, 2, 17),
    "one group": (2, 5, 12, 3, 1, 17),
    "as many groups as heads": (2, 5, 24, 3, 3, 17),
    "one token": (2, 1, 24, 6, 2, 17),
}

# For 3 sequences of 6 tokens.
PREFIXES = {
    "a length for each sequence": [2, 5, 3],
    "no prefix": [0, 0, 0],
    "nothing but a prefix": [6, 6, 6],
    "a prefix of one token": [1, 1, 1],
}

POSITIONS = {
    "late": lambda t: torch.arange(t) + 37,
    "as in the first GLM": lambda t: torch.arange(t).clamp(max=2),  # all of an answer stands where its gap is
}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(d=24, h=6, h_kv=2, d_ff=17, dtype=torch.float32):
    """The arguments of GLMBlock, and parameters."""
    kv = d // h * h_kv
    parameters = decoders.draw(
        dtype,
        input_layernorm=(d,),
        q_proj=(d, d, "bias"),
        k_proj=(kv, d, "bias"),
        v_proj=(kv, d, "bias"),
        o_proj=(d, d),
        post_attention_layernorm=(d,),
        gate_up_proj=(2 * d_ff, d),
        down_proj=(d, d_ff),
    )
    return {"d_model": d, "num_heads": h, "num_kv_heads": h_kv, "d_ff": d_ff}, parameters


@pytest.mark.parametrize("case", SIZES)
def test_sizes(check, case):
    b, t, *sizes = SIZES[case]
    config, parameters = draw(*sizes)
    layer = check.new("GLMBlock", **config, parameters=parameters)
    check(layer, torch.randn(b, t, sizes[0]), torch.arange(t), torch.tensor([t // 2, t - 1]))


@pytest.mark.parametrize("case", PREFIXES)
def test_prefixes(check, case):
    config, parameters = draw()
    layer = check.new("GLMBlock", **config, parameters=parameters)
    check(layer, torch.randn(3, 6, 24), torch.arange(6), torch.tensor(PREFIXES[case]))


@pytest.mark.parametrize("case", POSITIONS)
def test_positions(check, case):
    """Wide heads, of which two pairs turn."""
    config, parameters = draw(h=3, h_kv=1)
    layer = check.new("GLMBlock", **config, parameters=parameters)
    check(layer, torch.randn(2, 6, 24), POSITIONS[case](6), torch.tensor([3, 3]))


def test_another_base_and_eps(check):
    config, parameters = draw(h=3, h_kv=1)
    layer = check.new("GLMBlock", **config, eps=0.3, base=50.0, parameters=parameters)
    check(layer, torch.randn(2, 4, 24), torch.arange(4), torch.tensor([2, 1]))


def test_tokens_as_small_as_eps(check):
    """By default eps is 1e-5, the mean square of such a token."""
    config, parameters = draw()
    layer = check.new("GLMBlock", **config, parameters=parameters)
    check(layer, 1e-5**0.5 * torch.randn(2, 4, 24), torch.arange(4), torch.tensor([2, 1]))


def test_scores_in_the_hundred_thousands(check):
    """That of a first token with itself, its prefix, is the only one it has: often far below any number for a mask."""
    config, parameters = draw()
    parameters["q_proj.weight"] *= 20_000
    layer = check.new("GLMBlock", **config, parameters=parameters)
    check(layer, torch.randn(5, 4, 24), torch.arange(4), torch.tensor([2, 1, 1, 0, 1]))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    """Where bfloat16 and float16 have no odd positions."""
    config, parameters = draw(dtype=DTYPES[case])
    layer = check.new("GLMBlock", **config, parameters=parameters)
    check(layer, torch.randn(2, 4, 24).to(DTYPES[case]), torch.arange(2049, 2053), torch.tensor([2, 1]))


def test_an_input_that_is_not_contiguous(check):
    config, parameters = draw()
    layer = check.new("GLMBlock", **config, parameters=parameters)
    check(layer, torch.randn(4, 2, 24).transpose(0, 1), torch.arange(4), torch.tensor([1, 3]))


def test_gradients(check):
    config, parameters = draw()
    layer = check.new("GLMBlock", **config, parameters=parameters)
    check(layer, torch.randn(2, 4, 24), torch.arange(4), torch.tensor([1, 3]), gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two blocks in turn, of other widths and bases: a long text, then as long a one with other prefixes and positions."""
    for h_kv, group, head_dim in (
        (2, random.randint(3, 4), 4 * random.randint(2, 3)),
        (3, 2, 4 * random.randint(4, 5)),
    ):
        h, options = h_kv * group, {"eps": 10 ** random.uniform(-5, -1), "base": 10 ** random.uniform(2, 6)}
        config, parameters = draw(h * head_dim, h, h_kv, random.randint(33, 40))
        layer = check.new("GLMBlock", **config, **options, parameters=parameters)
        t, b = random.randint(140, 170), random.randint(3, 5)
        x, far = torch.randn(2, t, h * head_dim), random.randint(65, 90)
        check(layer, x, torch.arange(t), torch.tensor([far, random.randint(2, 9)]))
        check(layer, x, torch.arange(t) // 2 + far, torch.tensor([random.randint(2, 9), far]))
        prefix_len = torch.randint(9, (b,))
        check(layer, torch.randn(b, 8, h * head_dim), torch.randint(20_000, (8,)), prefix_len, gradients=True)


@reference("GLMBlock")
def definition(parameters, x, positions, prefix_len, *, d_model, num_heads, num_kv_heads, d_ff, eps=1e-5, base=10000.0):
    """Each query by itself says up to where it sees: to the end of the prefix, or to its own token if that is further."""

    def half_turned(x):
        turning, still = x.chunk(2, dim=-1)
        return torch.cat([decoders.turned(turning, positions, base, neighbours=True), still], dim=-1)

    normed = decoders.rms_norm(parameters, "input_layernorm", x, eps)
    q, k, v = (
        decoders.split(decoders.linear(parameters, name, normed), heads)
        for name, heads in (("q_proj", num_heads), ("k_proj", num_kv_heads), ("v_proj", num_kv_heads))
    )
    order = torch.arange(x.shape[1])
    ends = torch.maximum(prefix_len[:, None], order + 1)  # [b, t]
    heads = decoders.attended(half_turned(q), half_turned(k), v, order < ends[..., None])
    x = x + decoders.linear(parameters, "o_proj", heads)
    normed = decoders.rms_norm(parameters, "post_attention_layernorm", x, eps)
    both = decoders.linear(parameters, "gate_up_proj", normed)
    return x + decoders.linear(parameters, "down_proj", decoders.silu(both[..., :d_ff]) * both[..., d_ff:])


@mistake(blank="rotate")
def angles_in_half(x, positions, base):
    turning, still = x.chunk(2, dim=-1)
    d = turning.shape[-1]
    angles = positions.to(x.dtype)[:, None] * base ** -(torch.arange(0, d, 2) / d).to(x.dtype)
    cos, sin = angles.cos(), angles.sin()
    first, second = turning[..., 0::2], turning[..., 1::2]
    turned = torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1).flatten(-2)
    return torch.cat([turned, still], dim=-1)


@mistake(blank="rotate")
def turns_whole_heads(x, positions, base):
    d = x.shape[-1]
    angles = positions[:, None] * base ** -(torch.arange(0, d, 2) / d)
    cos, sin = angles.cos(), angles.sin()
    first, second = x.float()[..., 0::2], x.float()[..., 1::2]
    turned = torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1)
    return turned.flatten(-2).to(x.dtype)


@mistake(blank="rotate")
def turns_the_second_half(x, positions, base):
    still, turning = x.float().chunk(2, dim=-1)
    d = turning.shape[-1]
    angles = positions[:, None] * base ** -(torch.arange(0, d, 2) / d)
    cos, sin = angles.cos(), angles.sin()
    first, second = turning[..., 0::2], turning[..., 1::2]
    turned = torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1).flatten(-2)
    return torch.cat([still, turned], dim=-1).to(x.dtype)


@mistake(blank="rotate")
def pairs_of_llama(x, positions, base):
    turning, still = x.float().chunk(2, dim=-1)
    d = turning.shape[-1]
    angles = positions[:, None] * base ** -(torch.arange(0, d, 2) / d)
    cos, sin = angles.cos(), angles.sin()
    first, second = turning.chunk(2, dim=-1)
    turned = torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
    return torch.cat([turned, still], dim=-1).to(x.dtype)


@mistake(blank="rotate")
def exponent_of_whole_heads(x, positions, base):
    turning, still = x.float().chunk(2, dim=-1)
    angles = positions[:, None] * base ** -(torch.arange(0, turning.shape[-1], 2) / x.shape[-1])
    cos, sin = angles.cos(), angles.sin()
    first, second = turning[..., 0::2], turning[..., 1::2]
    turned = torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1).flatten(-2)
    return torch.cat([turned, still], dim=-1).to(x.dtype)


@mistake(blank="rotate")
def drops_what_does_not_turn(x, positions, base):
    turning, still = x.float().chunk(2, dim=-1)
    d = turning.shape[-1]
    angles = positions[:, None] * base ** -(torch.arange(0, d, 2) / d)
    cos, sin = angles.cos(), angles.sin()
    first, second = turning[..., 0::2], turning[..., 1::2]
    return torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1).flatten(-2).to(x.dtype)


@mistake(blank="visible")
def causal_everywhere(x, prefix_len):
    order = torch.arange(x.shape[1])
    visible = (order <= order[:, None]).expand(len(x), -1, -1)


@mistake(blank="visible")
def sees_everything(x, prefix_len):
    visible = torch.ones(x.shape[0], x.shape[1], x.shape[1], dtype=torch.bool)


@mistake(blank="visible")
def prefix_of_the_first_sequence(x, prefix_len):
    order = torch.arange(x.shape[1])
    visible = ((order < prefix_len[0]) | (order <= order[:, None])).expand(len(x), -1, -1)


@mistake(blank="visible")
def answer_forgets_the_prefix(x, prefix_len):
    order = torch.arange(x.shape[1])
    in_prefix = order < prefix_len[:, None]
    both = in_prefix[:, None] == in_prefix[..., None]
    visible = both & (in_prefix[:, None] | (order <= order[:, None]))


@mistake(blank="visible")
def prefix_sees_the_answer(x, prefix_len):
    order = torch.arange(x.shape[1])
    in_prefix = order < prefix_len[:, None]
    visible = in_prefix[..., None] | (order <= order[:, None])


@mistake(blank="visible")
def prefix_too_long(x, prefix_len):
    order = torch.arange(x.shape[1])
    visible = (order <= prefix_len[:, None])[:, None] | (order <= order[:, None])


@mistake("GLMBlock.forward")
def mask_too_weak(self, x, positions, prefix_len):
    normed = self.input_layernorm(x)
    q, k, v = (
        proj(normed).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
        for proj in (self.q_proj, self.k_proj, self.v_proj)
    )
    q, k = rotate(q, positions, self.base), rotate(k, positions, self.base)  # noqa: F821
    k, v = (each.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for each in (k, v))
    order = torch.arange(x.shape[1])
    visible = (order < prefix_len[:, None])[:, None] | (order <= order[:, None])
    scores = (q @ k.mT * self.head_dim**-0.5).masked_fill(~visible[:, None], -1e4)
    x = x + self.o_proj((scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(-2))
    return x + self.feed(self.post_attention_layernorm(x))


@mistake(blank="visible")
def prefix_by_position(x, positions, prefix_len):
    visible = (positions < prefix_len[:, None])[:, None] | (positions <= positions[:, None])


@mistake(blank="feed")
def up_before_gate(self, x):
    up, gate = self.gate_up_proj(x).chunk(2, dim=-1)
    return self.down_proj(F.silu(gate) * up)


@mistake(blank="feed")
def gate_and_up_in_turn(self, x):
    both = self.gate_up_proj(x)
    return self.down_proj(F.silu(both[..., 0::2]) * both[..., 1::2])


@mistake(blank="feed")
def gelu_gate(self, x):
    gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
    return self.down_proj(F.gelu(gate) * up)


@mistake(blank="residual")
def post_norm(self, x, heads):
    x = self.input_layernorm(x + self.o_proj(heads.transpose(1, 2).flatten(-2)))
    return self.post_attention_layernorm(x + self.feed(x))


@mistake(blank="residual")
def one_norm_for_both(self, x, heads):
    x = x + self.o_proj(heads.transpose(1, 2).flatten(-2))
    return x + self.feed(self.input_layernorm(x))
