import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from clozekit.grading import mistake, reference
from clozekit.grading.layers import attention, draw_parameters, feed_forward, layer_norm

# b, t, d_model, heads, d_ff. Sizes differ from each other, so that an axis taken for another one shows.
SHAPES = {
    "three heads": (2, 5, 12, 3, 20),
    "one head": (2, 5, 6, 1, 11),
    "as many heads as features": (2, 5, 6, 6, 11),
    "odd sizes": (1, 7, 15, 5, 33),
    "narrower in the middle": (2, 4, 12, 3, 5),
    "one token": (2, 1, 12, 3, 20),
}

# Which tokens of 2 texts of 5 are real.
PADDING = {
    "at the end": [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]],
    "at the beginning": [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]],
    "in the middle": [[1, 0, 1, 1, 1], [1, 1, 0, 0, 1]],
    "all but one token": [[0, 0, 1, 0, 0], [1, 0, 0, 0, 0]],
}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(b=2, t=5, d=12, h=3, d_ff=20, dtype=torch.float32):
    """What `check.new` needs for a layer, and x [b, t, d]."""
    linears = {f"{name}_proj": (d, d) for name in ("q", "k", "v", "out")} | {"fc1": (d, d_ff), "fc2": (d_ff, d)}
    parameters = draw_parameters(linears, {"norm1": d, "norm2": d}, dtype)
    return {"d_model": d, "num_heads": h, "d_ff": d_ff, "parameters": parameters}, torch.randn(b, t, d).to(dtype)


def all_real(x):
    return torch.ones(x.shape[:2], dtype=torch.bool)


@pytest.mark.parametrize("case", SHAPES)
def test_without_padding(check, case):
    config, x = draw(*SHAPES[case])
    check(check.new("EncoderLayer", **config), x, all_real(x))


@pytest.mark.parametrize("case", PADDING)
def test_padding(check, case):
    config, x = draw()
    check(check.new("EncoderLayer", **config), x, torch.tensor(PADDING[case], dtype=torch.bool))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    config, x = draw(dtype=DTYPES[case])
    check(check.new("EncoderLayer", **config), x, torch.tensor(PADDING["at the end"], dtype=torch.bool))


def test_padding_whose_scores_are_far_larger(check):
    """Key j scores 10,000 j - 40,000 with every query, and the later ones are padding."""
    config, x = draw()
    x[..., 0] = torch.arange(5)
    parameters = config["parameters"]
    parameters["q_proj.weight"].zero_()
    parameters["q_proj.bias"].fill_(-100)
    parameters["k_proj.weight"].zero_()[:, 0] = -50
    parameters["k_proj.bias"].fill_(200)
    check(check.new("EncoderLayer", **config), x, torch.tensor(PADDING["at the end"], dtype=torch.bool))


def test_a_sum_as_small_as_eps(check):
    """x and what attention adds to it are about 0.003."""
    config, x = draw()
    for name in ("out_proj.weight", "out_proj.bias"):
        config["parameters"][name].mul_(3e-3)
    check(check.new("EncoderLayer", **config), 3e-3 * x, all_real(x))


def test_a_non_contiguous_input(check):
    config, x = draw(b=5, t=2)
    check(check.new("EncoderLayer", **config), x.transpose(0, 1), all_real(x).T)


def test_gradients(check):
    config, x = draw()
    check(check.new("EncoderLayer", **config), x, torch.tensor(PADDING["at the end"], dtype=torch.bool), gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two layers in turn, of other widths, heads and dtypes; each size twice, with other padding."""
    few, many = (random.randint(2, 3), random.randint(33, 40)), (random.randint(9, 11), random.randint(2, 5))
    layers = []
    for dtype, (h, head_dim) in ((torch.float32, few), (random.choice([*DTYPES.values()]), many)):
        d = h * head_dim
        config, _ = draw(d=d, h=h, d_ff=random.randint(d + 1, 3 * d), dtype=dtype)
        config["parameters"]["fc1.weight"].mul_(5)  # what ReLU lets through has no upper end
        layers.append((check.new("EncoderLayer", **config), d, dtype, random.randint(17, 30)))
    for layer, d, dtype, t in (*layers, *layers):
        x = torch.randn(2, t, d).to(dtype)
        mask = torch.rand(x.shape[:2]) < 0.6
        mask[:, random.randrange(t)] = True
        check(layer, x, mask, gradients=dtype == torch.float32)


@reference("EncoderLayer")
def definition(parameters, x, mask, *, d_model, num_heads, d_ff):
    """One text after the other, its keys the real tokens alone: no mask to get wrong."""
    texts = []
    for text, real in zip(x, mask, strict=True):
        h = layer_norm(parameters, "norm1", text + attention(parameters, "", text, text[real], num_heads))
        texts.append(layer_norm(parameters, "norm2", h + feed_forward(parameters, "", h)))
    return torch.stack(texts)


@mistake(blank="networks")
def forgets_bias(self, d_model, d_ff):
    self.fc1 = nn.Linear(d_model, d_ff, bias=False)
    self.fc2 = nn.Linear(d_ff, d_model, bias=False)
    self.norm1 = nn.LayerNorm(d_model)
    self.norm2 = nn.LayerNorm(d_model)


@mistake(blank="networks")
def eps_of_bert(self, d_model, d_ff):
    self.fc1 = nn.Linear(d_model, d_ff)
    self.fc2 = nn.Linear(d_ff, d_model)
    self.norm1 = nn.LayerNorm(d_model, eps=1e-12)
    self.norm2 = nn.LayerNorm(d_model, eps=1e-12)


@mistake(blank="attend")
def splits_without_transpose(self, x):
    b, t, d = x.shape
    shape = b, self.num_heads, t, d // self.num_heads
    q, k, v = (proj(x).reshape(shape) for proj in (self.q_proj, self.k_proj, self.v_proj))


@mistake("EncoderLayer.attention")
def merges_without_transpose(self, x, mask):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(x).unflatten(-1, by_head).transpose(1, 2)
    return self.out_proj(F.scaled_dot_product_attention(q, k, v, mask[:, None, None]).reshape(x.shape))


@mistake(blank="attend")
def values_from_keys(self, x, by_head):
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = v = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)


@mistake("EncoderLayer.attention")
def forgets_scale(self, x, mask):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(x).unflatten(-1, by_head).transpose(1, 2)
    heads = F.scaled_dot_product_attention(q, k, v, mask[:, None, None], scale=1.0)
    return self.out_proj(heads.transpose(1, 2).flatten(-2))


@mistake("EncoderLayer.attention")
def scales_by_the_width(self, x, mask):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(x).unflatten(-1, by_head).transpose(1, 2)
    heads = F.scaled_dot_product_attention(q, k, v, mask[:, None, None], scale=x.shape[-1] ** -0.5)
    return self.out_proj(heads.transpose(1, 2).flatten(-2))


@mistake("EncoderLayer.attention")
def softmax_over_queries(self, x, mask):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(x).unflatten(-1, by_head).transpose(1, 2)
    scores = (q @ k.mT * q.shape[-1] ** -0.5).masked_fill(~mask[:, None, None], -3e4)
    return self.out_proj((scores.softmax(dim=-2) @ v).transpose(1, 2).flatten(-2))


@mistake(blank="visible")
def forgets_padding():
    visible = None


@mistake(blank="visible")
def inverted_mask(mask):
    visible = ~mask[:, None, None]


@mistake(blank="visible")
def blocks_queries(mask):
    visible = mask[:, None, :, None]


@mistake("EncoderLayer.attention")
def mask_too_weak(self, x, mask):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(x).unflatten(-1, by_head).transpose(1, 2)
    scores = (q @ k.mT * q.shape[-1] ** -0.5).masked_fill(~mask[:, None, None], -1e4)
    return self.out_proj((scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(-2))


@mistake("EncoderLayer.attention")
def mask_near_zero(self, x, mask):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(x).unflatten(-1, by_head).transpose(1, 2)
    scores = (q @ k.mT * q.shape[-1] ** -0.5).masked_fill(~mask[:, None, None], 1e-9)
    return self.out_proj((scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(-2))


@mistake("EncoderLayer.attention")
def mask_beyond_float16(self, x, mask):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(x).unflatten(-1, by_head).transpose(1, 2)
    scores = (q @ k.mT * q.shape[-1] ** -0.5).masked_fill(~mask[:, None, None], -1e9)
    return self.out_proj((scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(-2))


@mistake(blank="visible")
def adds_mask(mask, q):
    visible = mask[:, None, None].to(q.dtype)


@mistake(blank="visible")
def always_causal(mask):
    t = mask.shape[1]
    visible = mask[:, None, None] & mask.new_ones(t, t).tril()


@mistake("EncoderLayer.attention")
def zeroes_padding(self, x, mask):
    x = x * mask[..., None]
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(x).unflatten(-1, by_head).transpose(1, 2)
    heads = F.scaled_dot_product_attention(q, k, v)
    return self.out_proj(heads.transpose(1, 2).flatten(-2))


@mistake(blank="feed_forward")
def forgets_relu(self, x):
    return self.fc2(self.fc1(x))


@mistake(blank="feed_forward")
def gelu_of_bert(self, x):
    return self.fc2(F.gelu(self.fc1(x)))


@mistake(blank="feed_forward")
def relu_at_the_end(self, x):
    return self.fc2(self.fc1(x)).relu()


@mistake("EncoderLayer.forward")
def pre_norm(self, x, mask):
    x = x + self.attention(self.norm1(x), mask)
    return x + self.feed_forward(self.norm2(x))


@mistake("EncoderLayer.forward")
def normalises_the_sublayers(self, x, mask):
    x = x + self.norm1(self.attention(x, mask))
    return x + self.norm2(self.feed_forward(x))


@mistake("EncoderLayer.forward")
def exchanges_the_norms(self, x, mask):
    h = self.norm2(x + self.attention(x, mask))
    return self.norm1(h + self.feed_forward(h))


@mistake("EncoderLayer.forward")
def side_by_side(self, x, mask):
    return self.norm2(x + self.norm1(x + self.attention(x, mask)) + self.feed_forward(x))


@mistake(blank="first")
def attention_without_residual(self, x, mask):
    h = self.norm1(self.attention(x, mask))


@mistake(blank="first")
def attention_without_norm(self, x, mask):
    h = x + self.attention(x, mask)


@mistake("EncoderLayer.forward")
def sample_deviation(self, x, mask):
    def normed(norm, z):
        return (z - z.mean(-1, keepdim=True)) / (z.std(-1, keepdim=True) + 1e-6) * norm.weight + norm.bias

    h = normed(self.norm1, x + self.attention(x, mask))
    return normed(self.norm2, h + self.feed_forward(h))


@mistake(blank="second")
def network_without_residual(self, h):
    return self.norm2(self.feed_forward(h))


@mistake(blank="second")
def network_without_norm(self, h):
    return h + self.feed_forward(h)


@mistake(blank="second")
def uses_one_norm_twice(self, h):
    return self.norm1(h + self.feed_forward(h))


@mistake(blank="second")
def residual_from_the_input(self, x, h):
    return self.norm2(x + self.feed_forward(h))


@mistake(blank="second")
def one_vector_for_the_text(self, h, mask):
    y = self.norm2(h + self.feed_forward(h)) * mask[..., None]
    return y.sum(1) / mask.sum(1, keepdim=True)
