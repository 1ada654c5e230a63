import math
import random

import pytest
import torch
from torch import nn

from clozekit.grading import mistake, reference

# b, t, s, d_model, heads, d_memory, lengths. Sizes differ, so that an axis taken for another one shows.
CASES = {
    "a longer source": (2, 4, 7, 12, 3, 10, [7, 7]),
    "a shorter source": (2, 7, 4, 12, 3, 10, [4, 4]),
    "source and target of one length": (2, 5, 5, 12, 3, 12, [5, 5]),
    "padding in the source": (3, 4, 7, 12, 3, 10, [7, 2, 5]),
    "a source of one token": (2, 4, 5, 12, 3, 10, [1, 5]),
    "one target token": (2, 1, 7, 12, 3, 10, [7, 3]),
    "one head": (2, 4, 7, 6, 1, 5, [7, 3]),
    "as many heads as features": (2, 4, 7, 6, 6, 5, [7, 3]),
}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(b=2, t=4, s=7, d=12, d_memory=10, dtype=torch.float32):
    """Parameters for which queries, keys and values are about 1, x [b, t, d] and memory [b, s, d_memory]."""
    parameters = {}
    for name, width in (("q_proj", d), ("k_proj", d_memory), ("v_proj", d_memory), ("out_proj", d)):
        parameters[f"{name}.weight"] = (torch.randn(d, width) / math.sqrt(width)).to(dtype)
        parameters[f"{name}.bias"] = torch.randn(d).to(dtype)
    return parameters, torch.randn(b, t, d).to(dtype), torch.randn(b, s, d_memory).to(dtype)


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    b, t, s, d, h, d_memory, lengths = CASES[case]
    parameters, x, memory = draw(b, t, s, d, d_memory)
    layer = check.new("CrossAttention", d_model=d, num_heads=h, d_memory=d_memory, parameters=parameters)
    check(layer, x, memory, torch.tensor(lengths))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    parameters, x, memory = draw(dtype=DTYPES[case])
    layer = check.new("CrossAttention", d_model=12, num_heads=3, d_memory=10, parameters=parameters)
    check(layer, x, memory, torch.tensor([7, 3]))


def test_padding_whose_scores_are_far_larger(check):
    """Source token j scores 5000 j - 30,000 with every target, and the later ones are padding."""
    parameters, x, memory = draw()
    memory[..., 0] = torch.arange(7)
    parameters["q_proj.weight"].zero_()
    parameters["q_proj.bias"].fill_(-100)
    parameters["k_proj.weight"].zero_()[:, 0] = -25
    parameters["k_proj.bias"].fill_(150)
    layer = check.new("CrossAttention", d_model=12, num_heads=3, d_memory=10, parameters=parameters)
    check(layer, x, memory, torch.tensor([4, 3]))


def test_non_contiguous_inputs(check):
    parameters, x, memory = draw()
    layer = check.new("CrossAttention", d_model=12, num_heads=3, d_memory=10, parameters=parameters)
    x, memory = (each.transpose(0, 1).contiguous().transpose(0, 1) for each in (x, memory))
    check(layer, x, memory, torch.tensor([7, 3]))


def test_gradients(check):
    parameters, x, memory = draw()
    layer = check.new("CrossAttention", d_model=12, num_heads=3, d_memory=10, parameters=parameters)
    check(layer, x, memory, torch.tensor([7, 3]), gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two layers in turn, of other widths, heads and dtypes; each size twice, with other lengths."""
    few, many = (random.randint(2, 3), random.randint(33, 40)), (random.randint(9, 11), random.randint(2, 5))
    layers = []
    for dtype, (h, head_dim) in ((torch.float32, few), (random.choice([*DTYPES.values()]), many)):
        d, d_memory = h * head_dim, random.randint(6, 30)
        parameters, _, _ = draw(d=d, d_memory=d_memory, dtype=dtype)
        layer = check.new("CrossAttention", d_model=d, num_heads=h, d_memory=d_memory, parameters=parameters)
        layers.append((layer, d, d_memory, dtype))
    for layer, d, d_memory, dtype in layers:
        b, t, s = random.randint(2, 3), random.randint(9, 14), random.randint(140, 170)
        for _ in range(2):
            _, x, memory = draw(b, t, s, d, d_memory, dtype)
            lengths = torch.randint(1, s + 1, (b,))
            check(layer, x, memory, lengths, gradients=dtype == torch.float32)


@reference("CrossAttention")
def definition(parameters, x, memory, lengths, *, d_model, num_heads, d_memory):
    """One sequence and one head after the other, each with its real source tokens alone: no mask to get wrong."""

    def project(name, x):
        return x @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"]

    head_dim = d_model // num_heads
    sequences = []
    for target, source, length in zip(x, memory, lengths.tolist(), strict=True):
        q, k, v = (
            project(name, each).split(head_dim, dim=-1)
            for name, each in (("q_proj", target), ("k_proj", source[:length]), ("v_proj", source[:length]))
        )
        heads = [(q[i] @ k[i].T / math.sqrt(head_dim)).softmax(-1) @ v[i] for i in range(num_heads)]
        sequences.append(torch.cat(heads, dim=-1))
    return project("out_proj", torch.stack(sequences))


@mistake(blank="projections")
def forgets_the_width_of_the_memory(self, d_model):
    self.q_proj = nn.Linear(d_model, d_model)
    self.k_proj = nn.Linear(d_model, d_model)
    self.v_proj = nn.Linear(d_model, d_model)
    self.out_proj = nn.Linear(d_model, d_model)


@mistake(blank="projections")
def forgets_bias(self, d_model, d_memory):
    self.q_proj = nn.Linear(d_model, d_model, bias=False)
    self.k_proj = nn.Linear(d_memory, d_model, bias=False)
    self.v_proj = nn.Linear(d_memory, d_model, bias=False)
    self.out_proj = nn.Linear(d_model, d_model)


@mistake(blank="split")
def swaps_source_and_target(self, x, memory):
    by_head = (self.num_heads, -1)
    q = self.k_proj(memory).unflatten(-1, by_head).transpose(1, 2)
    k = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    v = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)


@mistake(blank="split")
def values_from_keys(self, x, memory):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(memory).unflatten(-1, by_head).transpose(1, 2)
    v = self.k_proj(memory).unflatten(-1, by_head).transpose(1, 2)


@mistake(blank="split")
def splits_without_transpose(self, x, memory):
    (b, t, d), s = x.shape, memory.shape[1]
    q = self.q_proj(x).view(b, self.num_heads, t, -1)
    k = self.k_proj(memory).view(b, self.num_heads, s, -1)
    v = self.v_proj(memory).view(b, self.num_heads, s, -1)


@mistake(blank="split")
def takes_one_length_for_both(self, x, memory):
    b, t, d = x.shape
    shape = b, t, self.num_heads, -1
    q = self.q_proj(x).view(shape).transpose(1, 2)
    k = self.k_proj(memory).view(shape).transpose(1, 2)
    v = self.v_proj(memory).view(shape).transpose(1, 2)


@mistake(blank="score")
def forgets_scale(q, k):
    scores = q @ k.mT


@mistake(blank="score")
def scales_by_d_model(q, k, x):
    scores = q @ k.mT / math.sqrt(x.shape[-1])


@mistake(blank="block")
def forgets_padding():
    pass


@mistake(blank="block")
def adds_a_causal_mask(scores, memory, lengths):
    padding = torch.arange(memory.shape[1]) >= lengths[:, None]
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    scores = scores.masked_fill(padding[:, None, None] | later, -math.inf)


@mistake(blank="block")
def one_token_too_many(scores, memory, lengths):
    padding = torch.arange(memory.shape[1]) > lengths[:, None]
    scores = scores.masked_fill(padding[:, None, None], -math.inf)


@mistake(blank="block")
def blocks_the_real_tokens(scores, memory, lengths):
    padding = torch.arange(memory.shape[1]) < lengths[:, None]
    scores = scores.masked_fill(padding[:, None, None], -math.inf)


@mistake("CrossAttention.forward")
def zeroes_the_memory(self, x, memory, lengths):
    memory = memory.masked_fill((torch.arange(memory.shape[1]) >= lengths[:, None])[..., None], 0)
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(memory).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(memory).unflatten(-1, by_head).transpose(1, 2)
    heads = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1) @ v
    return self.out_proj(heads.transpose(1, 2).flatten(-2))


@mistake("CrossAttention.forward")
def masks_weights(self, x, memory, lengths):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(memory).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(memory).unflatten(-1, by_head).transpose(1, 2)
    padding = torch.arange(memory.shape[1]) >= lengths[:, None]
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1).masked_fill(padding[:, None, None], 0)
    return self.out_proj((weights @ v).transpose(1, 2).flatten(-2))


@mistake("CrossAttention.forward")
def masks_weights_and_renormalises(self, x, memory, lengths):
    by_head = (self.num_heads, -1)
    q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
    k = self.k_proj(memory).unflatten(-1, by_head).transpose(1, 2)
    v = self.v_proj(memory).unflatten(-1, by_head).transpose(1, 2)
    padding = torch.arange(memory.shape[1]) >= lengths[:, None]
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1).masked_fill(padding[:, None, None], 0)
    weights = weights / weights.sum(dim=-1, keepdim=True)
    return self.out_proj((weights @ v).transpose(1, 2).flatten(-2))


@mistake(blank="block")
def mask_too_weak(scores, memory, lengths):
    padding = torch.arange(memory.shape[1]) >= lengths[:, None]
    scores = scores.masked_fill(padding[:, None, None], -1e4)


@mistake(blank="block")
def lowers_the_scores(scores, memory, lengths):
    padding = torch.arange(memory.shape[1]) >= lengths[:, None]
    scores = scores - 1e4 * padding[:, None, None].to(scores.dtype)


@mistake(blank="block")
def mask_beyond_float16(scores, memory, lengths):
    padding = torch.arange(memory.shape[1]) >= lengths[:, None]
    scores = scores.masked_fill(padding[:, None, None], -1e9)


@mistake(blank="merge")
def softmax_over_targets(self, scores, v):
    heads = scores.softmax(dim=-2) @ v
    return self.out_proj(heads.transpose(1, 2).flatten(-2))


@mistake(blank="merge")
def merges_without_transpose(self, scores, v, x):
    return self.out_proj((scores.softmax(dim=-1) @ v).reshape(x.shape))


@mistake(blank="merge")
def forgets_out_proj(scores, v):
    return (scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(-2)


@mistake(blank="merge")
def adds_the_residual(self, scores, v, x):
    heads = scores.softmax(dim=-1) @ v
    return x + self.out_proj(heads.transpose(1, 2).flatten(-2))
