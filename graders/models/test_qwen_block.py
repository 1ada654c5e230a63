import math
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
    "one token": (2, 1, 24, 6, 2, 17),
}

CACHED = {"one new token": 1, "several new tokens": 3}

# train_length, tokens in the cache, positions of the new ones.
LENGTHS = {
    "a text that reaches beyond": (4, 0, [0, 1, 2, 3, 4, 5, 6]),
    "a token after a cache": (4, 7, [7]),
    "tokens after a cache": (4, 3, [3, 4, 5]),
    "positions out of order": (3, 0, [9, 2, 5, 0]),
    "a text within it": (100, 0, [0, 1, 2, 3]),
}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(d=24, h=6, h_kv=2, d_ff=17, dtype=torch.float32):
    """The arguments of QwenBlock, and parameters."""
    config = {"d_model": d, "num_heads": h, "num_kv_heads": h_kv, "d_ff": d_ff}
    return config, decoders.draw_layer(**config, dtype=dtype, qkv_bias=True)


@pytest.mark.parametrize("case", SIZES)
def test_without_a_cache(check, case):
    b, t, d, *sizes = SIZES[case]
    config, parameters = draw(d, *sizes)
    check(check.new("QwenBlock", **config, parameters=parameters), torch.randn(b, t, d), torch.arange(t))


@pytest.mark.parametrize("case", CACHED)
def test_after_a_cache(check, case):
    config, parameters = draw()
    t = CACHED[case]
    layer = check.new("QwenBlock", **config, parameters=parameters)
    check(layer, torch.randn(2, t, 24), torch.arange(4, 4 + t), decoders.draw_cache(2, 2, 4, 4))


@pytest.mark.parametrize("case", LENGTHS)
def test_beyond_the_training(check, case):
    train_length, earlier, positions = LENGTHS[case]
    config, parameters = draw()
    layer = check.new("QwenBlock", **config, train_length=train_length, parameters=parameters)
    cache = decoders.draw_cache(2, 2, earlier, 4) if earlier else None
    check(layer, torch.randn(2, len(positions), 24), torch.tensor(positions), cache)


def test_eps_and_base_by_default(check):
    """Tokens whose mean square is eps, 1e-6, far along a text, where no query is scaled."""
    config, parameters = draw()
    layer = check.new("QwenBlock", **config, parameters=parameters)
    check(layer, 1e-3 * torch.randn(2, 4, 24), torch.arange(4) * 2500)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    """Where bfloat16 and float16 have no odd positions."""
    config, parameters = draw(dtype=DTYPES[case])
    layer = check.new("QwenBlock", **config, train_length=3, parameters=parameters)
    cache = decoders.draw_cache(2, 2, 2, 4, dtype=DTYPES[case])
    check(layer, torch.randn(2, 3, 24).to(DTYPES[case]), torch.arange(2049, 2052), cache)


def test_inputs_that_are_not_contiguous(check):
    config, parameters = draw()
    cache = tuple(x.transpose(1, 2).contiguous().transpose(1, 2) for x in decoders.draw_cache(2, 2, 3, 4))
    layer = check.new("QwenBlock", **config, parameters=parameters)
    check(layer, torch.randn(4, 2, 24).transpose(0, 1), torch.arange(3, 7), cache)


def test_gradients(check):
    config, parameters = draw()
    layer = check.new("QwenBlock", **config, train_length=5, parameters=parameters)
    check(layer, torch.randn(2, 3, 24), torch.arange(4, 7), decoders.draw_cache(2, 2, 4, 4), gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two blocks in turn, of other widths, bases and training lengths: a long text, tokens after it, as many elsewhere."""
    blocks = []
    for h_kv, group, head_dim in (
        (2, random.randint(3, 4), 2 * random.randint(3, 5)),
        (3, 2, 2 * random.randint(8, 10)),
    ):
        h, options = h_kv * group, {"eps": 10 ** random.uniform(-5, -1), "base": 10 ** random.uniform(2, 6)}
        config, parameters = draw(h * head_dim, h, h_kv, random.randint(33, 40))
        options["train_length"] = random.randint(9, 20)
        layer = check.new("QwenBlock", **config, **options, parameters=parameters)
        blocks.append((layer, h * head_dim, h_kv, head_dim))
    for layer, d, h_kv, head_dim in blocks:
        t = random.randint(140, 170)
        check(layer, torch.randn(1, t, d), torch.arange(t) + random.randint(0, 9))
        cache = decoders.draw_cache(2, h_kv, t, head_dim)
        check(layer, torch.randn(2, 2, d), torch.tensor([t, t + 1]), cache, gradients=True)
        check(layer, torch.randn(2, 2, d), torch.tensor([t, t + 1]) + random.randint(3, 9), cache)
    layer, d, h_kv, head_dim = blocks[0]
    cache = decoders.draw_cache(5, h_kv, random.randint(9, 20), head_dim)
    check(layer, torch.randn(5, 1, d), torch.tensor([random.randint(10_000, 20_000)]), cache)


@reference("QwenBlock")
def definition(
    parameters,
    x,
    positions,
    cache=None,
    *,
    d_model,
    num_heads,
    num_kv_heads,
    d_ff,
    eps=1e-6,
    base=1e6,
    train_length=None,
):
    """A layer of Llama but for its queries, and for the biases among the parameters. Qwen2 has no LogN scaling.

    modeling_qwen.py of Qwen-7B: log_train_length(i) for the i-th token if i > train_length, else 1.
    """
    stretch = None
    if train_length is not None:
        rank = positions.to(x.dtype) + 1
        stretch = torch.where(rank > train_length, rank.log() / math.log(train_length), 1.0)
    return decoders.layer(parameters, x, positions, cache, num_heads, num_kv_heads, eps, base, stretch)


@mistake("rotate")
def angles_in_half(x, positions, base):
    d = x.shape[-1]
    angles = positions.to(x.dtype)[:, None] * base ** -(torch.arange(0, d, 2) / d).to(x.dtype)
    cos, sin = angles.cos(), angles.sin()
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


@mistake(blank="projections")
def biases_of_llama(self, d_model, num_kv_heads):
    self.q_proj = nn.Linear(d_model, d_model, bias=False)
    self.k_proj = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
    self.v_proj = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
    self.o_proj = nn.Linear(d_model, d_model, bias=False)


@mistake(blank="project")
def forgets_the_norm(self, x, positions):
    q, k, v = (
        proj(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for proj in (self.q_proj, self.k_proj, self.v_proj)
    )
    q, k = rotate(q, positions, self.base), rotate(k, positions, self.base)  # noqa: F821


@mistake(blank="logn")
def ignores_train_length():
    pass


@mistake(blank="logn")
def scales_early_queries(self, q, positions):
    if self.train_length is not None:
        q = q * (torch.log(positions + 1) / math.log(self.train_length)).to(q.dtype)[:, None]


@mistake(blank="logn")
def forgets_plus_one(self, q, positions):
    if self.train_length is not None:
        scale = torch.log(positions) / math.log(self.train_length)
        q = q * scale.clamp(min=1).to(q.dtype)[:, None]


@mistake(blank="logn")
def one_factor_for_all(self, q, positions):
    if self.train_length is not None:
        q = q * max(1, math.log(int(positions[-1]) + 1) / math.log(self.train_length))


@mistake(blank="logn")
def counts_the_call(self, q, positions):
    if self.train_length is not None:
        scale = torch.log(torch.arange(1, len(positions) + 1)) / math.log(self.train_length)
        q = q * scale.clamp(min=1).to(q.dtype)[:, None]


@mistake(blank="logn")
def counts_the_keys(self, q, positions, cache):
    if self.train_length is not None:
        earlier = 0 if cache is None else cache[0].shape[2]
        scale = torch.log(torch.arange(1, len(positions) + 1) + earlier) / math.log(self.train_length)
        q = q * scale.clamp(min=1).to(q.dtype)[:, None]


@mistake(blank="logn")
def scales_the_keys(self, k, positions):
    if self.train_length is not None:
        scale = torch.log(positions + 1) / math.log(self.train_length)
        k = k * scale.clamp(min=1).to(k.dtype)[:, None]


@mistake(blank="logn")
def natural_logarithm(self, q, positions):
    if self.train_length is not None:
        q = q * torch.log(positions + 1).clamp(min=1).to(q.dtype)[:, None]


@mistake(blank="logn")
def ratio_of_lengths(self, q, positions):
    if self.train_length is not None:
        q = q * ((positions + 1) / self.train_length).clamp(min=1).to(q.dtype)[:, None]


@mistake(blank="logn")
def scale_stays_float32(self, q, positions):
    if self.train_length is not None:
        q = q * (torch.log(positions + 1) / math.log(self.train_length)).clamp(min=1)[:, None]


@mistake(blank="extend")
def ignores_the_cache(q, positions):
    visible = torch.ones(len(positions), len(positions), dtype=torch.bool).tril()


@mistake(blank="extend")
def puts_the_cache_behind(k, v, positions, cache):
    if cache is not None:
        k, v = torch.cat([k, cache[0]], dim=2), torch.cat([v, cache[1]], dim=2)
    visible = torch.ones(len(positions), k.shape[2], dtype=torch.bool).tril(k.shape[2] - len(positions))


@mistake(blank="extend")
def sees_the_future(k, v, positions, cache):
    if cache is not None:
        k, v = torch.cat([cache[0], k], dim=2), torch.cat([cache[1], v], dim=2)
    visible = torch.ones(len(positions), k.shape[2], dtype=torch.bool)


@mistake(blank="extend")
def aligned_at_the_start(k, v, positions, cache):
    if cache is not None:
        k, v = torch.cat([cache[0], k], dim=2), torch.cat([cache[1], v], dim=2)
    visible = torch.ones(len(positions), k.shape[2], dtype=torch.bool).tril()


@mistake(blank="extend")
def masks_by_position(k, v, positions, cache):
    where = positions
    if cache is not None:
        where = torch.cat([torch.arange(cache[0].shape[2]), positions])
        k, v = torch.cat([cache[0], k], dim=2), torch.cat([cache[1], v], dim=2)
    visible = where <= positions[:, None]


@mistake(blank="residual")
def one_norm_for_both(self, x, heads, k, v):
    x = x + self.o_proj(heads.transpose(1, 2).flatten(-2))
    normed = self.input_layernorm(x)
    return x + self.down_proj(F.silu(self.gate_proj(normed)) * self.up_proj(normed)), (k, v)


@mistake(blank="residual")
def gates_with_up(self, x, heads, k, v):
    x = x + self.o_proj(heads.transpose(1, 2).flatten(-2))
    normed = self.post_attention_layernorm(x)
    return x + self.down_proj(self.gate_proj(normed) * F.silu(self.up_proj(normed))), (k, v)
