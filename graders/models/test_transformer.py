import math
import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from clozekit.grading import mistake, reference
from clozekit.grading.layers import attention, draw_parameters, feed_forward, layer_norm

PAD, BOS = 0, 1

# b, s, t, d_model, heads, d_ff, layers. Sizes differ from each other, so that an axis taken for another one shows.
SHAPES = {
    "two layers": (2, 5, 4, 12, 3, 20, 2),
    "one layer, a longer target": (2, 3, 7, 8, 2, 11, 1),
    "one target token": (2, 5, 1, 12, 3, 20, 2),
    "one source token": (1, 1, 4, 12, 3, 20, 2),
}

# Which tokens of 2 sources of 5 are real.
PADDING = {
    "at the end": [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]],
    "at the beginning": [[0, 0, 0, 1, 1], [1, 1, 1, 1, 1]],
}


def draw(b=2, s=5, t=4, d=12, h=3, d_ff=20, layers=2, vocab=9):
    """What `check.new` needs for a model, src [b, s] and tgt [b, t], both without padding."""
    linears, norms = {}, {}
    for i in range(layers):
        for layer, attentions in ((f"encoder.{i}", ["self"]), (f"decoder.{i}", ["self", "cross"])):
            linears |= {f"{layer}.{a}_attn.{p}_proj": (d, d) for a in attentions for p in ("q", "k", "v", "out")}
            linears |= {f"{layer}.fc1": (d, d_ff), f"{layer}.fc2": (d_ff, d)}
            norms |= {f"{layer}.norm{n}": d for n in range(1, len(attentions) + 2)}
    parameters = {"embedding.weight": torch.randn(vocab, d) / math.sqrt(d), **draw_parameters(linears, norms)}
    config = {"vocab": vocab, "d_model": d, "num_heads": h, "d_ff": d_ff, "num_layers": layers}
    return {**config, "parameters": parameters}, torch.randint(2, vocab, (b, s)), torch.randint(2, vocab, (b, t))


@pytest.mark.parametrize("case", SHAPES)
def test_without_padding(check, case):
    config, src, tgt = draw(*SHAPES[case])
    check(check.new("Transformer", **config), src, tgt)


@pytest.mark.parametrize("case", PADDING)
def test_padding_in_the_source(check, case):
    config, src, tgt = draw()
    check(check.new("Transformer", **config), src * torch.tensor(PADDING[case]), tgt)


def test_other_ids_for_padding_and_begin(check):
    config, src, tgt = draw()
    src[src == 5], tgt[tgt == 5] = PAD, PAD
    src[1, :2], tgt[1, 2:] = 5, 5
    tgt[0, 0] = PAD  # is none here
    check(check.new("Transformer", **config, pad=5, bos=3), src, tgt)


def test_other_tokens_to_come(check):
    """The same target with another end: no logits up to its first changed token may change."""
    known = random.randint(1, 3)
    config, src, tgt = draw()
    model = check.new("Transformer", **config)
    check(model, src, tgt)
    other = tgt.clone()
    other[:, known:] = 2 + (other[:, known:] - 1) % 7
    check(model, src, other)


def test_gradients(check):
    config, src, tgt = draw(d=8, h=2, d_ff=11, layers=1)
    check(check.new("Transformer", **config), src * torch.tensor(PADDING["at the end"]), tgt, gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two models in turn; each gets a pair of texts, then the same source with a shorter target of another end."""
    few, many = (random.randint(2, 3), 2 * random.randint(5, 8)), (random.randint(5, 7), 2)
    models = []
    for layers, (h, head_dim) in ((2, few), (1, many)):
        d, s, t = h * head_dim, random.randint(9, 14), random.randint(60, 70)
        config, src, tgt = draw(2, s, t, d, h, random.randint(d + 1, 2 * d), layers, random.randint(20, 40))
        src[0, random.randint(2, s - 1) :] = PAD
        for name, value in config["parameters"].items():
            if name.endswith("fc1.weight"):
                value.mul_(5)  # what ReLU lets through has no upper end
        models.append((check.new("Transformer", **config), src, tgt))
    for model, src, tgt in models:
        check(model, src, tgt)
    for model, src, tgt in models:
        other = tgt.clone()
        other[:, random.randint(1, tgt.shape[1] - 9) :] = torch.randint(2, 20, (1,))
        check(model, src, other[:, : -random.randint(1, 8)])


@reference("Transformer")
def definition(parameters, src, tgt, *, vocab, d_model, num_heads, d_ff, num_layers, pad=0, bos=1):
    embedding = parameters["embedding.weight"]
    real = (src != pad)[:, None, None]

    def embed(ids):
        """Sine and cosine one feature after the other, by the formula of the paper."""
        p = torch.arange(ids.shape[1], dtype=embedding.dtype)
        rates = [10000 ** (-(j - j % 2) / d_model) for j in range(d_model)]
        columns = [(p * rate).cos() if j % 2 else (p * rate).sin() for j, rate in enumerate(rates)]
        return math.sqrt(d_model) * embedding[ids] + torch.stack(columns, dim=-1)

    def add(y, layer, n, sublayer):
        return layer_norm(parameters, f"{layer}.norm{n}", y + sublayer)

    memory = embed(src)
    for layer in (f"encoder.{i}" for i in range(num_layers)):
        memory = add(memory, layer, 1, attention(parameters, f"{layer}.self_attn", memory, memory, num_heads, real))
        memory = add(memory, layer, 2, feed_forward(parameters, layer, memory))
    place = torch.arange(tgt.shape[1])
    y = embed(torch.where(place == 0, bos, tgt.roll(1, dims=1)))
    for layer in (f"decoder.{i}" for i in range(num_layers)):
        past = place <= place[:, None]
        y = add(y, layer, 1, attention(parameters, f"{layer}.self_attn", y, y, num_heads, past))
        y = add(y, layer, 2, attention(parameters, f"{layer}.cross_attn", y, memory, num_heads, real))
        y = add(y, layer, 3, feed_forward(parameters, layer, y))
    return y @ embedding.T


@mistake(blank="layers")
def one_layer_many_times(self, vocab, d_model, num_heads, d_ff, num_layers):
    self.embedding = nn.Embedding(vocab, d_model)
    self.encoder = nn.ModuleList([EncoderLayer(d_model, num_heads, d_ff)] * num_layers)  # noqa: F821
    self.decoder = nn.ModuleList([DecoderLayer(d_model, num_heads, d_ff)] * num_layers)  # noqa: F821


@mistake(blank="positions")
def halves(place, d_model):
    angles = place[:, None] / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    positions = torch.cat([angles.sin(), angles.cos()], dim=-1)


@mistake(blank="positions")
def rates_too_close(place, d_model):
    angles = place[:, None] / 10000 ** (torch.arange(d_model // 2) / d_model)
    positions = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


@mistake(blank="positions")
def rate_of_each_feature(place, d_model):
    feature = torch.arange(d_model)
    angles = place[:, None] / 10000 ** (2 * feature / d_model)
    positions = torch.where(feature % 2 == 0, angles.sin(), angles.cos())


@mistake(blank="positions")
def doubles_the_index(place, d_model):
    angles = place[:, None] / 10000 ** (2 * torch.arange(0, d_model, 2) / d_model)
    positions = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


@mistake(blank="positions")
def counts_from_one(place, d_model):
    angles = (place[:, None] + 1) / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    positions = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


@mistake(blank="embed")
def forgets_scale(self, ids, positions):
    return self.embedding(ids) + positions


@mistake(blank="embed")
def scales_positions(self, ids, d_model, positions):
    return math.sqrt(d_model) * (self.embedding(ids) + positions)


@mistake(blank="embed")
def forgets_positions(self, ids, d_model):
    return math.sqrt(d_model) * self.embedding(ids)


@mistake(blank="masks")
def forgets_padding(src, tgt):
    real = torch.ones_like(src, dtype=torch.bool)[:, None, None]
    past = torch.ones(tgt.shape[1], tgt.shape[1], dtype=torch.bool).tril()


@mistake(blank="masks")
def pad_is_always_zero(src, tgt):
    real = (src != 0)[:, None, None]
    past = torch.ones(tgt.shape[1], tgt.shape[1], dtype=torch.bool).tril()


@mistake(blank="masks")
def sees_the_future(self, src, tgt):
    real = (src != self.pad)[:, None, None]
    past = torch.ones(tgt.shape[1], tgt.shape[1], dtype=torch.bool)


@mistake(blank="masks")
def does_not_see_itself(self, src, tgt):
    real = (src != self.pad)[:, None, None]
    past = torch.ones(tgt.shape[1], tgt.shape[1], dtype=torch.bool).tril(-1)


@mistake(blank="encode")
def padding_in_the_encoder(self, src, real):
    memory = self.embed(src)
    for layer in self.encoder:
        memory = layer(memory, torch.ones_like(real))


@mistake(blank="encode")
def norm_after_the_encoder(self, src, real):
    memory = self.embed(src)
    for layer in self.encoder:
        memory = layer(memory, real)
    memory = F.layer_norm(memory, memory.shape[-1:])


@mistake(blank="shift")
def forgets_to_shift(tgt):
    before = tgt


@mistake(blank="shift")
def begins_with_pad(self, tgt):
    before = torch.full_like(tgt, self.pad)
    before[:, 1:] = tgt[:, :-1]


@mistake(blank="shift")
def shifts_to_the_left(self, tgt):
    before = torch.full_like(tgt, self.bos)
    before[:, :-1] = tgt[:, 1:]


@mistake(blank="shift")
def rolls(tgt):
    before = tgt.roll(1, dims=1)


@mistake(blank="shift")
def loses_the_last_step(tgt):
    before = tgt[:, :-1]
    tgt = tgt[:, 1:]


@mistake(blank="shift")
def puts_begin_before_all(self, tgt):
    before = torch.cat([torch.full_like(tgt[:, :1], self.bos), tgt], dim=1)
    past = torch.ones(before.shape[1], before.shape[1], dtype=torch.bool).tril()


@mistake("Transformer.forward")
def layer_by_layer(self, src, tgt):
    real = (src != self.pad)[:, None, None]
    past = torch.ones(tgt.shape[1], tgt.shape[1], dtype=torch.bool).tril()
    before = torch.full_like(tgt, self.bos)
    before[:, 1:] = tgt[:, :-1]
    memory, y = self.embed(src), self.embed(before)
    for encode, decode in zip(self.encoder, self.decoder, strict=True):
        memory = encode(memory, real)
        y = decode(y, memory, past, real)
    return y @ self.embedding.weight.T


@mistake(blank="decode")
def padding_in_the_decoder(self, before, memory, past, real):
    y = self.embed(before)
    for layer in self.decoder:
        y = layer(y, memory, past, torch.ones_like(real))


@mistake(blank="decode")
def hides_padding_of_the_target(self, before, memory, past, real):
    y = self.embed(before)
    for layer in self.decoder:
        y = layer(y, memory, past & (before != self.pad)[:, None, None], real)


@mistake(blank="logits")
def returns_probabilities(self, y):
    return (y @ self.embedding.weight.T).softmax(-1)


@mistake(blank="logits")
def returns_log_probabilities(self, y):
    return (y @ self.embedding.weight.T).log_softmax(-1)


@mistake(blank="logits")
def scales_logits(self, y):
    return y @ self.embedding.weight.T * math.sqrt(y.shape[-1])
