import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from clozekit.grading import decoders, mistake, reference

# batch, tokens, width, heads, heads of keys, inner width. Sizes differ, so that an axis taken for another one shows.
SIZES = {
    "two groups of three heads": (2, 5, 24, 6, 2, 17),
    "one group": (2, 5, 12, 3, 1, 17),
    "as many groups as heads": (2, 5, 18, 3, 3, 17),
    "two features a head": (1, 5, 8, 4, 2, 11),
    "one token": (2, 1, 24, 6, 2, 17),
}

CACHED = {"one new token": 1, "several new tokens": 3}

POSITIONS = {
    "late": lambda t: torch.arange(t) + 37,
    "with gaps": lambda t: torch.arange(t) ** 2,
}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(d=24, h=6, h_kv=2, d_ff=17, dtype=torch.float32):
    """The arguments of LlamaBlock, and parameters."""
    config = {"d_model": d, "num_heads": h, "num_kv_heads": h_kv, "d_ff": d_ff}
    return config, decoders.draw_layer(**config, dtype=dtype)


def draw_x(b=2, t=5, d=24, dtype=torch.float32):
    return torch.randn(b, t, d).to(dtype)


@pytest.mark.parametrize("case", SIZES)
def test_without_a_cache(check, case):
    b, t, *sizes = SIZES[case]
    config, parameters = draw(*sizes)
    check(check.new("LlamaBlock", **config, parameters=parameters), draw_x(b, t, sizes[0]), torch.arange(t))


@pytest.mark.parametrize("case", CACHED)
def test_after_a_cache(check, case):
    config, parameters = draw()
    t = CACHED[case]
    layer = check.new("LlamaBlock", **config, parameters=parameters)
    check(layer, draw_x(t=t), torch.arange(4, 4 + t), decoders.draw_cache(2, 2, 4, 4))


@pytest.mark.parametrize("case", POSITIONS)
def test_positions(check, case):
    config, parameters = draw()
    check(check.new("LlamaBlock", **config, parameters=parameters), draw_x(t=4), POSITIONS[case](4))


def test_another_base_and_eps(check):
    config, parameters = draw()
    layer = check.new("LlamaBlock", **config, eps=0.3, base=50.0, parameters=parameters)
    check(layer, draw_x(t=4), torch.arange(4))


def test_tokens_as_small_as_eps(check):
    """By default eps is 1e-5, the mean square of such a token."""
    config, parameters = draw()
    layer = check.new("LlamaBlock", **config, parameters=parameters)
    check(layer, 1e-5**0.5 * draw_x(t=4), torch.arange(4))


def test_scores_in_the_hundred_thousands(check):
    """That of a first token with itself is the only one it has: often far below any number for a mask."""
    config, parameters = draw()
    parameters["q_proj.weight"] *= 20_000
    layer = check.new("LlamaBlock", **config, parameters=parameters)
    check(layer, draw_x(b=5, t=3), torch.arange(2, 5))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    """Tokens of about 1000, whose squares are beyond float16, where bfloat16 and float16 have no odd positions."""
    config, parameters = draw(dtype=DTYPES[case])
    layer = check.new("LlamaBlock", **config, parameters=parameters)
    x, cache = 1000 * torch.randn(2, 3, 24), decoders.draw_cache(2, 2, 2, 4, DTYPES[case])
    check(layer, x.to(DTYPES[case]), torch.arange(2049, 2052), cache)


def test_inputs_that_are_not_contiguous(check):
    config, parameters = draw()
    keys, values = (x.transpose(1, 2).contiguous().transpose(1, 2) for x in decoders.draw_cache(2, 2, 3, 4))
    layer = check.new("LlamaBlock", **config, parameters=parameters)
    check(layer, draw_x(4, 2).transpose(0, 1), torch.arange(3, 7), (keys, values))


def test_gradients(check):
    config, parameters = draw()
    layer = check.new("LlamaBlock", **config, parameters=parameters)
    check(layer, draw_x(t=3), torch.arange(4, 7), decoders.draw_cache(2, 2, 4, 4), gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two blocks in turn, of other widths, bases and eps: a long text, tokens after it, others elsewhere."""
    blocks = []
    for h_kv, group, head_dim in (
        (2, random.randint(3, 4), 2 * random.randint(3, 5)),
        (3, 2, 2 * random.randint(8, 10)),
    ):
        h, options = h_kv * group, {"eps": 10 ** random.uniform(-5, -1), "base": 10 ** random.uniform(2, 6)}
        config, parameters = draw(h * head_dim, h, h_kv, random.randint(33, 40))
        blocks.append(
            (check.new("LlamaBlock", **config, **options, parameters=parameters), h * head_dim, h_kv, head_dim)
        )
    for layer, d, h_kv, head_dim in blocks:
        t = random.randint(140, 170)
        check(layer, draw_x(1, t, d), torch.arange(t) + random.randint(0, 9))
        cache = decoders.draw_cache(2, h_kv, t, head_dim)
        check(layer, draw_x(2, 2, d), torch.tensor([t, t + 1]), cache, gradients=True)
        check(layer, draw_x(2, 2, d), torch.tensor([t, t + 1]) + random.randint(3, 9), cache)
    layer, d, h_kv, head_dim = blocks[0]
    far = torch.tensor([random.randint(10_000, 20_000)])  # no table of angles reaches it that is made beforehand
    check(layer, draw_x(5, 1, d), far, decoders.draw_cache(5, h_kv, random.randint(9, 20), head_dim))


@reference("LlamaBlock")
def definition(parameters, x, positions, cache=None, *, d_model, num_heads, num_kv_heads, d_ff, eps=1e-5, base=10000.0):
    return decoders.layer(parameters, x, positions, cache, num_heads, num_kv_heads, eps, base)


@mistake(blank="rotate")
def angles_in_half(x, positions, base):
    d = x.shape[-1]
    angles = positions.to(x.dtype)[:, None] * base ** -(torch.arange(0, d, 2) / d).to(x.dtype)
    cos, sin = angles.cos(), angles.sin()
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


@mistake("RMSNorm.forward")
def squares_in_half(self, x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


@mistake("RMSNorm.forward")
def layer_norm(self, x):
    return F.layer_norm(x, x.shape[-1:], self.weight, None, self.eps)


@mistake("RMSNorm.__init__")
def eps_of_its_own(self, d, eps):
    super().__init__()
    self.weight = nn.Parameter(torch.ones(d))
    self.eps = 1e-6


@mistake("RMSNorm.forward")
def weight_plus_one(self, x):
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps) * (1 + self.weight)).to(x.dtype)


@mistake(blank="rotate")
def pairs_of_neighbours(x, positions, base):
    d = x.shape[-1]
    angles = positions[:, None] * base ** -(torch.arange(0, d, 2) / d)
    cos, sin = angles.cos(), angles.sin()
    first, second = x.float()[..., 0::2], x.float()[..., 1::2]
    turned = torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1)
    return turned.flatten(-2).to(x.dtype)


@mistake(blank="rotate")
def counts_from_zero(x, positions, base):
    d = x.shape[-1]
    angles = torch.arange(x.shape[2])[:, None] * base ** -(torch.arange(0, d, 2) / d)
    cos, sin = angles.cos(), angles.sin()
    first, second = x.float().chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1).to(x.dtype)


@mistake(blank="residual")
def post_norm(self, x, attention):
    x = self.input_layernorm(x + attention)
    x = self.post_attention_layernorm(x + self.feed(x))


@mistake(blank="residual")
def adds_to_the_normed(self, x, attention):
    x = self.input_layernorm(x) + attention
    x = self.post_attention_layernorm(x)
    x = x + self.feed(x)


@mistake(blank="residual")
def one_norm_for_both(self, x, attention):
    x = x + attention
    x = x + self.feed(self.input_layernorm(x))


@mistake(blank="residual")
def parallel_branches(self, x, attention):
    x = x + attention + self.feed(self.post_attention_layernorm(x))


@mistake(blank="extend")
def caches_unturned_keys(self, q, k, v, positions, cache):
    q, keys, values = rotate(q, positions, self.base), k, v  # noqa: F821
    if cache is not None:
        keys, values = torch.cat([cache[0], keys], dim=2), torch.cat([cache[1], values], dim=2)


@mistake(blank="extend")
def turns_the_cache_again(self, q, k, v, positions, cache):
    q, keys, values = rotate(q, positions, self.base), k, v  # noqa: F821
    if cache is not None:
        keys, values = torch.cat([cache[0], keys], dim=2), torch.cat([cache[1], values], dim=2)
        positions = torch.cat([torch.arange(cache[0].shape[2]), positions])
    keys = rotate(keys, positions, self.base)  # noqa: F821


@mistake(blank="extend")
def turns_the_values(self, q, k, v, positions, cache):
    q, keys, values = (rotate(x, positions, self.base) for x in (q, k, v))  # noqa: F821
    if cache is not None:
        keys, values = torch.cat([cache[0], keys], dim=2), torch.cat([cache[1], values], dim=2)


@mistake(blank="extend")
def ignores_the_cache(self, q, k, v, positions, cache):
    q, keys, values = rotate(q, positions, self.base), rotate(k, positions, self.base), v  # noqa: F821


@mistake(blank="heads")
def forgets_scale(q, keys, values):
    visible = torch.ones(q.shape[2], keys.shape[2], dtype=torch.bool).tril(keys.shape[2] - q.shape[2])
    heads = F.scaled_dot_product_attention(q, keys, values, attn_mask=visible, scale=1.0, enable_gqa=True)


@mistake(blank="heads")
def sees_the_future(q, keys, values):
    heads = F.scaled_dot_product_attention(q, keys, values, enable_gqa=True)


@mistake(blank="heads")
def unmasked_after_a_cache(q, keys, values):
    is_causal = q.shape[2] == keys.shape[2]
    heads = F.scaled_dot_product_attention(q, keys, values, is_causal=is_causal, enable_gqa=True)


@mistake(blank="heads")
def mask_too_weak(q, keys, values):
    group = q.shape[1] // keys.shape[1]
    repeated = keys.repeat_interleave(group, dim=1), values.repeat_interleave(group, dim=1)
    visible = torch.ones(q.shape[2], keys.shape[2], dtype=torch.bool).tril(keys.shape[2] - q.shape[2])
    scores = q @ repeated[0].mT * q.shape[-1] ** -0.5 - 1e4 * ~visible
    heads = scores.softmax(dim=-1) @ repeated[1]


@mistake(blank="heads")
def aligned_at_the_start(q, keys, values):
    heads = F.scaled_dot_product_attention(q, keys, values, is_causal=True, enable_gqa=True)


@mistake(blank="heads")
def tiles_the_keys(q, keys, values):
    group = q.shape[1] // keys.shape[1]
    visible = torch.ones(q.shape[2], keys.shape[2], dtype=torch.bool).tril(keys.shape[2] - q.shape[2])
    tiled = keys.repeat(1, group, 1, 1), values.repeat(1, group, 1, 1)
    heads = F.scaled_dot_product_attention(q, *tiled, attn_mask=visible)


@mistake(blank="feed")
def gates_with_up(self, x):
    return self.down_proj(self.gate_proj(x) * F.silu(self.up_proj(x)))


@mistake(blank="feed")
def gelu_gate(self, x):
    return self.down_proj(F.gelu(self.gate_proj(x)) * self.up_proj(x))


@mistake(blank="feed")
def sigmoid_gate(self, x):
    return self.down_proj(self.gate_proj(x).sigmoid() * self.up_proj(x))
