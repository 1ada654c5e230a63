import math
import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from clozekit.grading import mistake, reference

# batch, tokens, vocabulary, context, width, heads, blocks. Sizes differ, so that an axis taken for another one shows.
SIZES = {
    "two blocks": (2, 5, 11, 8, 12, 3, 2),
    "one block": (2, 5, 11, 8, 12, 3, 1),
    "one head": (2, 5, 11, 8, 6, 1, 1),
    "odd sizes": (1, 7, 13, 9, 15, 5, 3),
    "one token": (2, 1, 11, 8, 12, 3, 2),
    "a full context": (2, 6, 11, 6, 8, 2, 1),
}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(vocabulary=11, context=8, d=12, h=3, layers=2, dtype=torch.float32, embeddings=1.0):
    """The arguments of GPT, and parameters for which all that a block computes is about 1."""
    parameters = {
        "wte.weight": embeddings * torch.randn(vocabulary, d),
        "wpe.weight": embeddings * torch.randn(context, d),
    }
    for i in range(layers):
        for name, wide, narrow in (
            ("attn.c_attn", 3 * d, d),
            ("attn.c_proj", d, d),
            ("mlp.c_fc", 4 * d, d),
            ("mlp.c_proj", d, 4 * d),
        ):
            parameters[f"h.{i}.{name}.weight"] = 1.5 * torch.randn(wide, narrow) / math.sqrt(narrow)
            parameters[f"h.{i}.{name}.bias"] = torch.randn(wide)
    for name in [*(f"h.{i}.ln_{j}" for i in range(layers) for j in (1, 2)), "ln_f"]:
        parameters[f"{name}.weight"] = torch.rand(d) + 0.5
        parameters[f"{name}.bias"] = torch.randn(d)
    config = {"vocab_size": vocabulary, "context": context, "d_model": d, "num_heads": h, "num_layers": layers}
    return config, {name: value.to(dtype) for name, value in parameters.items()}


def draw_ids(b=2, t=5, vocabulary=11):
    return torch.randint(vocabulary, (b, t))


@pytest.mark.parametrize("case", SIZES)
def test_logits(check, case):
    b, t, vocabulary, *sizes = SIZES[case]
    config, parameters = draw(vocabulary, *sizes)
    check(check.new("GPT", **config, parameters=parameters), draw_ids(b, t, vocabulary))


def test_one_token_again_and_again(check):
    config, parameters = draw(layers=1)
    check(check.new("GPT", **config, parameters=parameters), torch.full((1, 6), 3))


def test_embeddings_as_small_as_eps(check):
    """A variance of about 1e-5 in every LayerNorm, as what the blocks add is no larger."""
    config, parameters = draw(layers=1, embeddings=1e-5**0.5)
    for name in parameters:
        if "c_proj" in name:
            parameters[name] *= 1e-5**0.5
    check(check.new("GPT", **config, parameters=parameters), draw_ids())


def test_scores_in_the_thousands(check):
    """Scores of about 100,000: none may overflow, and no large number stands for a later token."""
    config, parameters = draw(layers=1)
    for name in ("h.0.attn.c_attn.weight", "h.0.attn.c_attn.bias"):
        parameters[name][:24] *= 200
    check(check.new("GPT", **config, parameters=parameters), draw_ids())


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    config, parameters = draw(layers=1, dtype=DTYPES[case])
    check(check.new("GPT", **config, parameters=parameters), draw_ids())


def test_ids_that_are_not_contiguous(check):
    config, parameters = draw(layers=1)
    check(check.new("GPT", **config, parameters=parameters), draw_ids(5, 2).T)


def test_gradients(check):
    config, parameters = draw(layers=1)
    check(check.new("GPT", **config, parameters=parameters), draw_ids(), gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two models in turn, of other widths and heads: a long text, one for the other model, a short one."""
    models = []
    for h, head_dim, layers in ((random.randint(4, 5), 2 * random.randint(2, 3), 1), (2, random.randint(9, 11), 3)):
        vocabulary, context = random.randint(30, 40), random.randint(170, 190)
        config, parameters = draw(vocabulary, context, h * head_dim, h, layers)
        models.append((check.new("GPT", **config, parameters=parameters), vocabulary))
    (flat, many), (deep, few) = models
    check(flat, draw_ids(1, random.randint(140, 170), many), gradients=True)
    check(deep, draw_ids(random.randint(2, 3), random.randint(33, 40), few))
    check(flat, draw_ids(random.randint(5, 7), random.randint(2, 4), many))


@reference("GPT")
def definition(parameters, ids, *, vocab_size, context, d_model, num_heads, num_layers):
    """One block and one head after the other; torch has the LayerNorm and the approximation of GELU."""

    def linear(name, x):
        return x @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"]

    def norm(name, x):
        return F.layer_norm(x, [d_model], parameters[f"{name}.weight"], parameters[f"{name}.bias"], 1e-5)

    t, head_dim = ids.shape[1], d_model // num_heads
    sees = torch.arange(t)[:, None] >= torch.arange(t)
    x = parameters["wte.weight"][ids] + parameters["wpe.weight"][:t]
    for i in range(num_layers):
        parts = linear(f"h.{i}.attn.c_attn", norm(f"h.{i}.ln_1", x)).split(head_dim, dim=-1)
        heads = []
        for q, k, v in zip(parts[:num_heads], parts[num_heads : 2 * num_heads], parts[2 * num_heads :], strict=True):
            scores = q @ k.transpose(1, 2) / math.sqrt(head_dim)
            heads.append(torch.where(sees, scores, -math.inf).softmax(-1) @ v)
        x = x + linear(f"h.{i}.attn.c_proj", torch.cat(heads, dim=-1))
        inner = F.gelu(linear(f"h.{i}.mlp.c_fc", norm(f"h.{i}.ln_2", x)), approximate="tanh")
        x = x + linear(f"h.{i}.mlp.c_proj", inner)
    return norm("ln_f", x) @ parameters["wte.weight"].T


@mistake(blank="split")
def splits_by_head(self, x):
    q, k, v = (part.transpose(1, 2) for part in self.c_attn(x).unflatten(-1, (self.num_heads, 3, -1)).unbind(-2))


@mistake(blank="split")
def splits_without_transpose(self, x):
    b, t, d = x.shape
    q, k, v = (part.reshape(b, self.num_heads, t, -1) for part in self.c_attn(x).chunk(3, dim=-1))


@mistake(blank="attend")
def sees_the_future(q, k, v):
    heads = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1) @ v


@mistake(blank="attend")
def forgets_scale(q, k, v):
    later = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).triu(1)
    heads = (q @ k.mT).masked_fill(later, -math.inf).softmax(dim=-1) @ v


@mistake(blank="attend")
def scales_by_the_width(q, k, v):
    later = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).triu(1)
    scores = q @ k.mT / math.sqrt(q.shape[1] * q.shape[-1])
    heads = scores.masked_fill(later, -math.inf).softmax(dim=-1) @ v


@mistake(blank="attend")
def mask_too_weak(q, k, v):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    later = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).triu(1)
    heads = scores.masked_fill(later, -1e4).softmax(dim=-1) @ v


@mistake(blank="attend")
def mask_beyond_float16(q, k, v):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    later = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).triu(1)
    heads = scores.masked_fill(later, -1e9).softmax(dim=-1) @ v


@mistake("Attention.forward")
def merges_without_transpose(self, x):
    by_head = (self.num_heads, -1)
    q, k, v = (part.unflatten(-1, by_head).transpose(1, 2) for part in self.c_attn(x).chunk(3, dim=-1))
    return self.c_proj(F.scaled_dot_product_attention(q, k, v, is_causal=True).reshape(x.shape))


@mistake(blank="feed")
def exact_gelu(self, x):
    return self.c_proj(F.gelu(self.c_fc(x)))


@mistake(blank="feed")
def relu(self, x):
    return self.c_proj(F.relu(self.c_fc(x)))


@mistake(blank="residual")
def post_norm(self, x):
    x = self.ln_1(x + self.attn(x))
    return self.ln_2(x + self.mlp(x))


@mistake(blank="residual")
def adds_the_normed(self, x):
    x = self.ln_1(x)
    x = x + self.attn(x)
    x = self.ln_2(x)
    return x + self.mlp(x)


@mistake(blank="residual")
def forgets_residual(self, x):
    return self.mlp(self.ln_2(self.attn(self.ln_1(x))))


@mistake(blank="residual")
def parallel_branches(self, x):
    return x + self.attn(self.ln_1(x)) + self.mlp(self.ln_2(x))


@mistake("Block.__init__")
def eps_of_bert(self, d_model, num_heads):
    super().__init__()
    self.ln_1 = nn.LayerNorm(d_model, eps=1e-12)
    self.attn = Attention(d_model, num_heads)  # noqa: F821
    self.ln_2 = nn.LayerNorm(d_model, eps=1e-12)
    self.mlp = MLP(d_model)  # noqa: F821


@mistake("GPT.__init__")
def sample_deviation(self, vocab_size, context, d_model, num_heads, num_layers):
    class Norm(nn.LayerNorm):
        def forward(self, x):
            normed = (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, keepdim=True) + self.eps)
            return normed * self.weight + self.bias

    super().__init__()
    self.wte = nn.Embedding(vocab_size, d_model)
    self.wpe = nn.Embedding(context, d_model)
    self.h = nn.ModuleList(Block(d_model, num_heads) for _ in range(num_layers))  # noqa: F821
    self.ln_f = Norm(d_model)
    for block in self.h:
        block.ln_1, block.ln_2 = Norm(d_model), Norm(d_model)


@mistake("GPT.__init__")
def shares_a_block(self, vocab_size, context, d_model, num_heads, num_layers):
    super().__init__()
    self.wte = nn.Embedding(vocab_size, d_model)
    self.wpe = nn.Embedding(context, d_model)
    self.h = nn.ModuleList([Block(d_model, num_heads)] * num_layers)  # noqa: F821
    self.ln_f = nn.LayerNorm(d_model)


@mistake("GPT.__init__")
def own_output_matrix(self, vocab_size, context, d_model, num_heads, num_layers):
    super().__init__()
    self.wte = nn.Embedding(vocab_size, d_model)
    self.wpe = nn.Embedding(context, d_model)
    self.h = nn.ModuleList(Block(d_model, num_heads) for _ in range(num_layers))  # noqa: F821
    self.ln_f = nn.LayerNorm(d_model)
    self.lm_head = nn.Linear(d_model, vocab_size, bias=False)


@mistake(blank="embed")
def forgets_positions(self, ids):
    x = self.wte(ids)


@mistake(blank="embed")
def positions_from_one(self, ids):
    x = self.wte(ids) + self.wpe(torch.arange(1, ids.shape[1] + 1))


@mistake(blank="embed")
def scales_embeddings(self, ids):
    x = self.wte(ids) * math.sqrt(self.wte.embedding_dim) + self.wpe(torch.arange(ids.shape[1]))


@mistake(blank="logits")
def forgets_final_norm(self, x):
    return x @ self.wte.weight.T


@mistake(blank="logits")
def last_token_only(self, x):
    return self.ln_f(x[:, -1]) @ self.wte.weight.T


@mistake(blank="logits")
def last_row_only(self, x):
    return self.ln_f(x[:, [-1]]) @ self.wte.weight.T


@mistake(blank="logits")
def returns_probabilities(self, x):
    return (self.ln_f(x) @ self.wte.weight.T).softmax(dim=-1)
