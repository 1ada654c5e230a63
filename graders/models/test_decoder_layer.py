import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from clozekit.grading import mistake, reference
from clozekit.grading.layers import attention, draw_parameters, feed_forward, layer_norm

# b, t, s, d_model, heads, d_ff. Sizes differ from each other, so that an axis taken for another one shows.
SHAPES = {
    "a longer source": (2, 4, 7, 12, 3, 20),
    "a shorter source": (2, 7, 4, 12, 3, 20),
    "source and target of one length": (2, 5, 5, 12, 3, 20),
    "one target token": (2, 1, 7, 12, 3, 20),
    "one source token": (2, 4, 1, 12, 3, 20),
    "one head, odd sizes": (1, 5, 3, 7, 1, 9),
}

# Which tokens of 2 sources of 5 are real.
PADDING = {
    "at the end": [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]],
    "at the beginning": [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]],
    "all but one token": [[0, 0, 1, 0, 0], [1, 0, 0, 0, 0]],
}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(b=2, t=4, s=5, d=12, h=3, d_ff=20, dtype=torch.float32):
    """What `check.new` needs for a layer, x [b, t, d], memory [b, s, d] and a mask by which all of it is real."""
    linears = {f"{a}_attn.{p}_proj": (d, d) for a in ("self", "cross") for p in ("q", "k", "v", "out")}
    linears |= {"fc1": (d, d_ff), "fc2": (d_ff, d)}
    parameters = draw_parameters(linears, {"norm1": d, "norm2": d, "norm3": d}, dtype)
    config = {"d_model": d, "num_heads": h, "d_ff": d_ff, "parameters": parameters}
    x, memory = torch.randn(b, t, d), torch.randn(b, s, d)
    return config, x.to(dtype), memory.to(dtype), torch.ones(b, s, dtype=torch.bool)


@pytest.mark.parametrize("case", SHAPES)
def test_without_padding(check, case):
    config, *inputs = draw(*SHAPES[case])
    check(check.new("DecoderLayer", **config), *inputs)


@pytest.mark.parametrize("case", PADDING)
def test_padding_in_the_source(check, case):
    """Of a source as long as the target, whose tokens this mask says nothing about."""
    config, x, memory, _ = draw(t=5)
    check(check.new("DecoderLayer", **config), x, memory, torch.tensor(PADDING[case], dtype=torch.bool))


@pytest.mark.parametrize("known", [1, 3])
def test_other_tokens_to_come(check, known):
    """The same text with another end: of what comes before nothing may change."""
    config, x, memory, mask = draw()
    layer = check.new("DecoderLayer", **config)
    check(layer, x, memory, mask)
    other = x.clone()
    other[:, known:] = 30 * torch.randn_like(other[:, known:])
    check(layer, other, memory, mask)


def test_later_tokens_whose_scores_are_far_larger(check):
    """Token j scores 10,000 j - 40,000 with every query, of x as well as of the memory, whose later ones are padding."""
    config, x, memory, _ = draw()
    x[..., 0], memory[..., 0] = torch.arange(4), torch.arange(5)
    parameters = config["parameters"]
    for name in "self_attn", "cross_attn":
        parameters[f"{name}.q_proj.weight"].zero_()
        parameters[f"{name}.q_proj.bias"].fill_(-100)
        parameters[f"{name}.k_proj.weight"].zero_()[:, 0] = -50
        parameters[f"{name}.k_proj.bias"].fill_(200)
    check(check.new("DecoderLayer", **config), x, memory, torch.tensor(PADDING["at the end"], dtype=torch.bool))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    config, x, memory, _ = draw(dtype=DTYPES[case])
    check(check.new("DecoderLayer", **config), x, memory, torch.tensor(PADDING["at the end"], dtype=torch.bool))


def test_a_sum_as_small_as_eps(check):
    """x and what self-attention adds to it are about 0.003."""
    config, x, memory, mask = draw()
    for name in "self_attn.out_proj.weight", "self_attn.out_proj.bias":
        config["parameters"][name].mul_(3e-3)
    check(check.new("DecoderLayer", **config), 3e-3 * x, memory, mask)


def test_non_contiguous_inputs(check):
    config, x, memory, mask = draw()
    x, memory = (each.transpose(0, 1).contiguous().transpose(0, 1) for each in (x, memory))
    check(check.new("DecoderLayer", **config), x, memory, mask.T.contiguous().T)


def test_gradients(check):
    config, x, memory, _ = draw()
    layer = check.new("DecoderLayer", **config)
    check(layer, x, memory, torch.tensor(PADDING["at the end"], dtype=torch.bool), gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two layers in turn, of other widths, heads and dtypes; then again, with other padding and a shorter text of another end."""
    few, many = (random.randint(2, 3), random.randint(17, 24)), (random.randint(7, 9), random.randint(2, 4))
    layers = []
    for dtype, (h, head_dim) in ((torch.float32, few), (random.choice([*DTYPES.values()]), many)):
        d = h * head_dim
        b, t, s = random.randint(2, 3), random.randint(8, 10), random.randint(17, 30)
        config, x, memory, _ = draw(b, t, s, d, h, random.randint(d + 1, 2 * d), dtype)
        config["parameters"]["fc1.weight"].mul_(5)  # what ReLU lets through has no upper end
        layers.append((check.new("DecoderLayer", **config), x, memory, dtype))
    for turn, (layer, x, memory, dtype) in enumerate((*layers, *layers)):
        mask = torch.rand(memory.shape[:2]) < 0.6
        mask[:, random.randrange(mask.shape[1])] = True
        known = random.randint(1, x.shape[1] - 1)
        other = torch.cat([x[:, :known], torch.randn_like(x[:, known:])], dim=1)
        shorter = other if turn < 2 else other[:, : -random.randint(1, 3)]
        check(layer, shorter, memory, mask, gradients=dtype == torch.float32 and turn < 2)


@reference("DecoderLayer")
def definition(parameters, x, memory, memory_mask, *, d_model, num_heads, d_ff):
    """Of the source each text is given its real tokens alone; that none sees what comes after it, positions say."""
    place = torch.arange(x.shape[1])
    h = layer_norm(
        parameters, "norm1", x + attention(parameters, "self_attn", x, x, num_heads, place <= place[:, None])
    )
    texts = zip(h, memory, memory_mask, strict=True)
    seen = [attention(parameters, "cross_attn", text, source[real], num_heads) for text, source, real in texts]
    c = layer_norm(parameters, "norm2", h + torch.stack(seen))
    return layer_norm(parameters, "norm3", c + feed_forward(parameters, "", c))


@mistake(blank="parts")
def one_attention_for_both(self, d_model, num_heads, d_ff):
    self.self_attn = self.cross_attn = Attention(d_model, num_heads)  # noqa: F821
    self.fc1 = nn.Linear(d_model, d_ff)
    self.fc2 = nn.Linear(d_ff, d_model)
    self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(d_model) for _ in range(3))


@mistake(blank="parts")
def eps_too_small(self, d_model, num_heads, d_ff):
    self.self_attn = Attention(d_model, num_heads)  # noqa: F821
    self.cross_attn = Attention(d_model, num_heads)  # noqa: F821
    self.fc1 = nn.Linear(d_model, d_ff)
    self.fc2 = nn.Linear(d_ff, d_model)
    self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(d_model, eps=1e-12) for _ in range(3))


@mistake("Attention.forward")
def forgets_scale(self, x, source, visible):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(source).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(source).unflatten(-1, by_head).transpose(1, 2)
    heads = F.scaled_dot_product_attention(q, k, v, visible, scale=1.0)
    return self.out_proj(heads.transpose(1, 2).flatten(-2))


@mistake("Attention.forward")
def scales_by_the_width(self, x, source, visible):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(source).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(source).unflatten(-1, by_head).transpose(1, 2)
    heads = F.scaled_dot_product_attention(q, k, v, visible, scale=x.shape[-1] ** -0.5)
    return self.out_proj(heads.transpose(1, 2).flatten(-2))


@mistake("Attention.forward")
def merges_without_transpose(self, x, source, visible):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(source).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(source).unflatten(-1, by_head).transpose(1, 2)
    return self.out_proj(F.scaled_dot_product_attention(q, k, v, visible).reshape(x.shape))


@mistake(blank="past")
def sees_the_future(x):
    past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool)


@mistake(blank="past")
def sees_the_next_token(x):
    past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril(1)


@mistake(blank="past")
def does_not_see_itself(x):
    past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril(-1)


@mistake("Attention.forward")
def hides_the_diagonal(self, x, source, visible):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(source).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(source).unflatten(-1, by_head).transpose(1, 2)
    visible = visible.tril(-1) if visible.ndim == 2 else visible  # of the target, not of the source
    scores = (q @ k.mT * q.shape[-1] ** -0.5).masked_fill(~visible, torch.finfo(x.dtype).min)
    return self.out_proj((scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(-2))


@mistake(blank="past")
def sees_only_the_future(x):
    past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu()


@mistake(blank="past")
def adds_the_mask(x):
    past = x.new_ones(x.shape[1], x.shape[1]).tril()


@mistake("Attention.forward")
def mask_too_weak(self, x, source, visible):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(source).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(source).unflatten(-1, by_head).transpose(1, 2)
    scores = q @ k.mT * q.shape[-1] ** -0.5
    heads = scores.masked_fill(~visible, -1e4).softmax(dim=-1) @ v
    return self.out_proj(heads.transpose(1, 2).flatten(-2))


@mistake("Attention.forward")
def mask_near_zero(self, x, source, visible):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(source).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(source).unflatten(-1, by_head).transpose(1, 2)
    scores = (q @ k.mT * q.shape[-1] ** -0.5).masked_fill(~visible, 1e-9)
    return self.out_proj((scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(-2))


@mistake("Attention.forward")
def mask_beyond_float16(self, x, source, visible):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(source).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(source).unflatten(-1, by_head).transpose(1, 2)
    scores = q @ k.mT * q.shape[-1] ** -0.5
    heads = scores.masked_fill(~visible, -1e9).softmax(dim=-1) @ v
    return self.out_proj(heads.transpose(1, 2).flatten(-2))


@mistake(blank="self_attention")
def self_attention_without_residual(self, x, past):
    h = self.norm1(self.self_attn(x, x, past))


@mistake(blank="self_attention")
def self_attention_without_norm(self, x, past):
    h = x + self.self_attn(x, x, past)


@mistake(blank="cross_attention")
def cross_attention_without_residual(self, h, memory, memory_mask):
    c = self.norm2(self.cross_attn(h, memory, memory_mask[:, None, None]))


@mistake(blank="cross_attention")
def cross_attention_without_norm(self, h, memory, memory_mask):
    c = h + self.cross_attn(h, memory, memory_mask[:, None, None])


@mistake(blank="cross_attention")
def residual_from_the_input(self, x, h, memory, memory_mask):
    c = self.norm2(x + self.cross_attn(h, memory, memory_mask[:, None, None]))


@mistake(blank="cross_attention")
def asks_with_the_input(self, x, h, memory, memory_mask):
    c = self.norm2(h + self.cross_attn(x, memory, memory_mask[:, None, None]))


@mistake(blank="cross_attention")
def looks_at_itself_again(self, h, past):
    c = self.norm2(h + self.cross_attn(h, h, past))


@mistake(blank="cross_attention")
def forgets_padding(self, h, memory, memory_mask):
    c = self.norm2(h + self.cross_attn(h, memory, torch.ones_like(memory_mask)[:, None, None]))


@mistake(blank="cross_attention")
def inverted_mask(self, h, memory, memory_mask):
    c = self.norm2(h + self.cross_attn(h, memory, ~memory_mask[:, None, None]))


@mistake(blank="cross_attention")
def causal_in_the_source(self, x, h, memory, memory_mask):
    t, s = x.shape[1], memory.shape[1]
    past = torch.ones(t, s, dtype=torch.bool).tril()
    c = self.norm2(h + self.cross_attn(h, memory, memory_mask[:, None, None] & past))


@mistake("DecoderLayer.forward")
def one_norm_for_all(self, x, memory, memory_mask):
    past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    h = self.norm1(x + self.self_attn(x, x, past))
    c = self.norm1(h + self.cross_attn(h, memory, memory_mask[:, None, None]))
    return self.norm1(c + self.fc2(self.fc1(c).relu()))


@mistake("DecoderLayer.forward")
def sample_deviation(self, x, memory, memory_mask):
    def normed(norm, z):
        return (z - z.mean(-1, keepdim=True)) / (z.std(-1, keepdim=True) + 1e-6) * norm.weight + norm.bias

    past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    h = normed(self.norm1, x + self.self_attn(x, x, past))
    c = normed(self.norm2, h + self.cross_attn(h, memory, memory_mask[:, None, None]))
    return normed(self.norm3, c + self.fc2(self.fc1(c).relu()))


@mistake("DecoderLayer.forward")
def source_first(self, x, memory, memory_mask):
    past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    h = self.norm1(x + self.cross_attn(x, memory, memory_mask[:, None, None]))
    c = self.norm2(h + self.self_attn(h, h, past))
    return self.norm3(c + self.fc2(self.fc1(c).relu()))


@mistake("DecoderLayer.forward")
def pre_norm(self, x, memory, memory_mask):
    past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    h = self.norm1(x)
    x = x + self.self_attn(h, h, past)
    x = x + self.cross_attn(self.norm2(x), memory, memory_mask[:, None, None])
    return x + self.fc2(self.fc1(self.norm3(x)).relu())


@mistake(blank="network")
def network_without_residual(self, c):
    return self.norm3(self.fc2(self.fc1(c).relu()))


@mistake(blank="network")
def network_without_norm(self, c):
    return c + self.fc2(self.fc1(c).relu())


@mistake(blank="network")
def forgets_relu(self, c):
    return self.norm3(c + self.fc2(self.fc1(c)))


@mistake(blank="network")
def gelu_of_bert(self, c):
    return self.norm3(c + self.fc2(F.gelu(self.fc1(c))))
