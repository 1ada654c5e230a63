import math
import random

import pytest
import torch
from torch import nn

from clozekit.grading import mistake, reference

# batch, tokens, width, heads. Sizes differ from each other, so that an axis taken for another one shows.
SHAPES = {
    "three heads": (2, 5, 12, 3),
    "one head": (2, 5, 6, 1),
    "as many heads as features": (2, 5, 6, 6),
    "odd sizes": (1, 7, 15, 5),
    "one token": (2, 1, 12, 3),
}

# Each for 2 sequences of 5 tokens and 3 heads; True where a query (a row) may attend to a key (a column).
MASKS = {
    "causal": lambda: torch.ones(5, 5, dtype=torch.bool).tril(),
    "padding": lambda: (torch.arange(5) < torch.tensor([[5], [3]]))[:, None, None],  # [2, 1, 1, 5]
    "one for all heads": lambda: draw_mask(2, 1),
    "one for each head": lambda: draw_mask(2, 3),
    "one for each head of all sequences": lambda: draw_mask(3),
}

TEXTS = {"short text": (13, 19), "long text": (33, 39)}  # tokens; drawn, so that no length is known to be measured

# dtype, mask. Of two dtypes only float16 is too short for -1e9; without a mask nothing but the softmax is in question.
HALVES = {
    "float16": (torch.float16, None),
    "float16 with a mask": (torch.float16, "causal"),
    "bfloat16 with a mask": (torch.bfloat16, "causal"),
}


def draw(b=2, t=5, d=12, bias=True, dtype=torch.float32):
    """Parameters for which queries, keys and values are about 1, and x [b, t, d]."""
    parameters = {}
    for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
        parameters[f"{name}.weight"] = (torch.randn(d, d) / math.sqrt(d)).to(dtype)
        if bias:
            parameters[f"{name}.bias"] = torch.randn(d).to(dtype)
    return parameters, torch.randn(b, t, d).to(dtype)


def draw_mask(*lead, t=5):
    """[*lead, t, t]; every query may attend at least to itself."""
    return (torch.rand(*lead, t, t) < 0.5) | torch.eye(t, dtype=torch.bool)


@pytest.mark.parametrize("case", SHAPES)
def test_without_a_mask(check, case):
    b, t, d, h = SHAPES[case]
    parameters, x = draw(b, t, d)
    check(check.new("MultiHeadAttention", d_model=d, num_heads=h, parameters=parameters), x)


@pytest.mark.parametrize("case", MASKS)
def test_with_a_mask(check, case):
    parameters, x = draw()
    check(check.new("MultiHeadAttention", d_model=12, num_heads=3, parameters=parameters), x, MASKS[case]())


def test_without_bias(check):
    parameters, x = draw(bias=False)
    check(check.new("MultiHeadAttention", d_model=12, num_heads=3, bias=False, parameters=parameters), x)


@pytest.mark.parametrize("case", HALVES)
def test_half_precision(check, case):
    dtype, mask = HALVES[case]
    parameters, x = draw(dtype=dtype)
    layer = check.new("MultiHeadAttention", d_model=12, num_heads=3, parameters=parameters)
    check(layer, x, MASKS[mask]()) if mask else check(layer, x)


def test_scores_in_the_thousands(check):
    parameters, x = draw()
    check(check.new("MultiHeadAttention", d_model=12, num_heads=3, parameters=parameters), 30 * x)


def test_a_blocked_key_whose_score_is_far_larger(check):
    """Key j scores 5000 j - 25,000 with every query, and the mask blocks the later keys."""
    parameters, x = draw()
    x[..., 0] = torch.arange(5)
    parameters["q_proj.weight"].zero_()
    parameters["q_proj.bias"].fill_(-100)
    parameters["k_proj.weight"].zero_()[:, 0] = -25
    parameters["k_proj.bias"].fill_(125)
    check(check.new("MultiHeadAttention", d_model=12, num_heads=3, parameters=parameters), x, MASKS["causal"]())


def test_a_non_contiguous_input(check):
    parameters, x = draw(b=5, t=2)
    layer = check.new("MultiHeadAttention", d_model=12, num_heads=3, parameters=parameters)
    check(layer, x.transpose(0, 1))


def test_gradients(check):
    parameters, x = draw()
    layer = check.new("MultiHeadAttention", d_model=12, num_heads=3, parameters=parameters)
    check(layer, x, MASKS["causal"](), gradients=True)


@pytest.mark.parametrize("text", TEXTS)
def test_cost(check, text):
    """Of so many heads that a projection for each of them shows."""
    parameters, x = draw(b=1, t=random.randint(*TEXTS[text]), d=64)
    check(check.new("MultiHeadAttention", d_model=64, num_heads=8, parameters=parameters), x, measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two layers in turn, of other widths, heads and dtypes: a long text, one for the other layer, a short one."""
    few, many = (random.randint(2, 3), random.randint(33, 40)), (random.randint(9, 11), random.randint(2, 5))
    layers = []
    for dtype, (h, head_dim) in ((torch.float32, few), (random.choice([torch.float16, torch.bfloat16]), many)):
        bias = random.choice([True, False])
        parameters, _ = draw(d=h * head_dim, bias=bias, dtype=dtype)
        layer = check.new("MultiHeadAttention", d_model=h * head_dim, num_heads=h, bias=bias, parameters=parameters)
        layers.append((layer, h, h * head_dim, dtype))
    wide, narrow = layers
    layer, _, d, dtype = narrow
    check(layer, torch.randn(1, random.randint(33, 48), d).to(dtype), gradients=True)
    texts = (wide, random.randint(140, 170)), (narrow, random.randint(21, 32)), (wide, random.randint(9, 20))
    for (layer, h, d, dtype), t in texts:
        b = random.randint(1, 3) if t > 20 else random.randint(5, 9)
        lead = random.choice([(), (h,), (1, h), (b, 1), (b, h)])
        check(layer, torch.randn(b, t, d).to(dtype), draw_mask(*lead, t=t))


@reference("MultiHeadAttention")
def definition(parameters, x, mask=None, *, d_model, num_heads, bias=True):
    """One head after the other, as in the paper."""

    def project(name, x):
        y = x @ parameters[f"{name}.weight"].T
        return y + parameters[f"{name}.bias"] if bias else y

    b, t, _ = x.shape
    head_dim = d_model // num_heads
    mask = torch.ones(t, t, dtype=torch.bool) if mask is None else mask
    mask = mask.expand(b, num_heads, t, t)
    q, k, v = (project(name, x).split(head_dim, dim=-1) for name in ("q_proj", "k_proj", "v_proj"))
    heads = []
    for i in range(num_heads):
        scores = q[i] @ k[i].transpose(1, 2) / math.sqrt(head_dim)
        heads.append(scores.masked_fill(~mask[:, i], -math.inf).softmax(-1) @ v[i])
    return project("out_proj", torch.cat(heads, dim=-1))


@mistake("MultiHeadAttention.__init__")
def ignores_bias(self, d_model, num_heads, bias=True):
    super().__init__()
    self.num_heads = num_heads
    self.q_proj = nn.Linear(d_model, d_model)
    self.k_proj = nn.Linear(d_model, d_model)
    self.v_proj = nn.Linear(d_model, d_model)
    self.out_proj = nn.Linear(d_model, d_model)


@mistake(blank="split")
def splits_without_transpose(self, x):
    b, t, d = x.shape
    shape = b, self.num_heads, t, d // self.num_heads
    q, k, v = self.q_proj(x).view(shape), self.k_proj(x).view(shape), self.v_proj(x).view(shape)


@mistake(blank="split")
def views_input(self, x):
    b, t, d = x.shape
    tokens = x.view(b * t, d)
    shape = b, t, self.num_heads, d // self.num_heads
    q = self.q_proj(tokens).view(shape).transpose(1, 2)
    k = self.k_proj(tokens).view(shape).transpose(1, 2)
    v = self.v_proj(tokens).view(shape).transpose(1, 2)


@mistake(blank="split")
def projects_for_each_head(self, x):
    b, t, d = x.shape
    q, k, v = (x.new_empty(b, self.num_heads, t, d // self.num_heads) for _ in range(3))
    for head in range(self.num_heads):
        features = slice(head * q.shape[-1], (head + 1) * q.shape[-1])
        q[:, head] = self.q_proj(x)[..., features]
        k[:, head] = self.k_proj(x)[..., features]
        v[:, head] = self.v_proj(x)[..., features]


@mistake(blank="split")
def keys_from_queries(self, x):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(x).unflatten(-1, by_head).transpose(1, 2)


@mistake(blank="split")
def values_from_keys(self, x):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)
    v = self.k_proj(x).unflatten(-1, by_head).transpose(1, 2)


@mistake("MultiHeadAttention.forward")
def interleaves_heads(self, x, mask=None):
    q, k, v = (
        proj(x).unflatten(-1, (-1, self.num_heads)).permute(0, 3, 1, 2)
        for proj in (self.q_proj, self.k_proj, self.v_proj)
    )
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return self.out_proj((scores.softmax(-1) @ v).permute(0, 2, 3, 1).flatten(-2))


@mistake("MultiHeadAttention.forward")
def attends_across_heads(self, x, mask=None):
    q, k, v = (proj(x).unflatten(-1, (self.num_heads, -1)) for proj in (self.q_proj, self.k_proj, self.v_proj))
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return self.out_proj((scores.softmax(-1) @ v).flatten(-2))


@mistake(blank="score")
def forgets_scale(q, k):
    scores = q @ k.mT


@mistake(blank="score")
def scales_by_d_model(q, k, x):
    scores = q @ k.mT / math.sqrt(x.shape[-1])


@mistake(blank="score")
def multiplies_by_root(q, k):
    scores = q @ k.mT * math.sqrt(q.shape[-1])


@mistake(blank="score")
def divides_by_head_dim(q, k):
    scores = q @ k.mT / q.shape[-1]


@mistake(blank="block")
def forgets_mask():
    pass


@mistake(blank="block")
def needs_a_mask(scores, mask):
    scores = scores.masked_fill(~mask, -math.inf)


@mistake(blank="block")
def always_causal(scores, mask):
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    later = scores.new_ones(scores.shape[-2:]).triu(1).bool()
    scores = scores.masked_fill(later, -math.inf)


@mistake(blank="block")
def inverted_mask(scores, mask):
    if mask is not None:
        scores = scores.masked_fill(mask, -math.inf)


@mistake(blank="block")
def transposed_mask(scores, mask):
    if mask is not None:
        scores = scores.masked_fill(~mask.mT, -math.inf)


@mistake(blank="block")
def reshapes_mask(scores, mask):
    if mask is not None:
        scores = scores.masked_fill(~mask.unsqueeze(1), -math.inf)


@mistake(blank="block")
def adds_mask(scores, mask):
    if mask is not None:
        scores = scores + mask


@mistake(blank="block")
def zeroes_scores(scores, mask):
    if mask is not None:
        scores = scores * mask


@mistake(blank="block")
def mask_too_weak(scores, mask):
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e4)


@mistake(blank="block")
def lowers_the_scores(scores, mask):
    if mask is not None:
        scores = scores - 1e4 * (~mask).to(scores.dtype)


@mistake(blank="block")
def mask_beyond_float16(scores, mask):
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e9)


@mistake(blank="block")
def float32_mask(scores, mask):
    if mask is not None:
        scores = scores + (~mask).float().masked_fill(~mask, -math.inf)


@mistake("MultiHeadAttention.forward")
def masks_weights(self, x, mask=None):
    q, k, v = (
        proj(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for proj in (self.q_proj, self.k_proj, self.v_proj)
    )
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0)
    return self.out_proj((weights @ v).transpose(1, 2).flatten(-2))


@mistake("MultiHeadAttention.forward")
def masks_weights_and_renormalises(self, x, mask=None):
    q, k, v = (
        proj(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for proj in (self.q_proj, self.k_proj, self.v_proj)
    )
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0)
        weights = weights / weights.sum(-1, keepdim=True)
    return self.out_proj((weights @ v).transpose(1, 2).flatten(-2))


@mistake(blank="attend")
def softmax_over_queries(scores, v):
    heads = scores.softmax(dim=-2) @ v


@mistake(blank="attend")
def softmax_over_heads(scores, v):
    heads = scores.softmax(dim=1) @ v


@mistake(blank="attend")
def softmax_overflows(scores, v):
    weights = scores.exp()
    heads = weights / weights.sum(-1, keepdim=True) @ v


@mistake(blank="attend")
def subtracts_one_maximum(scores, v):
    weights = (scores - scores.max()).exp()
    heads = weights / weights.sum(-1, keepdim=True) @ v


@mistake(blank="attend")
def softmax_stays_float32(scores, v):
    heads = scores.float().softmax(-1) @ v


@mistake(blank="merge")
def merges_without_transpose(self, x, heads):
    return self.out_proj(heads.reshape(x.shape))


@mistake(blank="merge")
def forgets_out_proj(heads):
    return heads.transpose(1, 2).flatten(-2)
