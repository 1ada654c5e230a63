import random

import pytest
import torch
from torch import nn

from clozekit.grading import mistake, reference

# batch, tokens, vocabulary, width, positions, segments. No two sizes are equal, so that no axis passes for another.
SHAPES = {
    "two sequences": (2, 5, 11, 8, 7, 2),
    "one token": (2, 1, 11, 8, 7, 2),
    "as many tokens as positions": (1, 7, 11, 6, 7, 2),
    "more sequences than positions": (9, 3, 13, 8, 4, 2),
    "three segments": (2, 4, 12, 10, 6, 3),
    "two features": (3, 4, 9, 2, 6, 2),
}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def parameters(vocab, d, max_len, segments, dtype=torch.float32, scale=1.0):
    tables = {"word": vocab, "position": max_len, "segment": segments}
    drawn = {f"{name}.weight": (scale * torch.randn(rows, d)).to(dtype) for name, rows in tables.items()}
    return drawn | {"norm.weight": (1 + 0.5 * torch.rand(d)).to(dtype), "norm.bias": torch.randn(d).to(dtype)}


def layer(check, vocab, d, max_len, segments=2, dtype=torch.float32, scale=1.0, **options):
    config = {"vocab_size": vocab, "d_model": d, "max_len": max_len, "n_segments": segments, **options}
    return check.new("BertEmbeddings", **config, parameters=parameters(vocab, d, max_len, segments, dtype, scale))


def texts(b, t, vocab, segments=2):
    """Token numbers, 0 among them, and a segment for each."""
    ids = torch.randint(0, vocab, (b, t))
    ids[0, -1] = 0
    return ids, torch.randint(0, segments, (b, t))


@pytest.mark.parametrize("case", SHAPES)
def test_values(check, case):
    b, t, vocab, d, max_len, segments = SHAPES[case]
    module = layer(check, vocab, d, max_len, segments)
    check(module, *texts(b, t, vocab, segments), dtype=torch.float32)


def test_without_segments(check):
    check(layer(check, 11, 8, 7), texts(2, 5, 11)[0], dtype=torch.float32)


def test_the_same_token_everywhere(check):
    """Only its place tells one from the other."""
    check(layer(check, 11, 8, 7), torch.full((2, 6), 3), torch.zeros(2, 6, dtype=torch.long), dtype=torch.float32)


def test_the_second_segment_alone(check):
    check(layer(check, 11, 8, 7), texts(2, 5, 11)[0], torch.ones(2, 5, dtype=torch.long), dtype=torch.float32)


def test_small_numbers(check):
    """So small that an eps of 1e-5 would show."""
    check(layer(check, 11, 8, 7, scale=1e-3), *texts(2, 5, 11), dtype=torch.float32)


def test_a_large_eps(check):
    check(layer(check, 11, 8, 7, eps=0.5), *texts(2, 5, 11), dtype=torch.float32)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    check(layer(check, 11, 8, 7, dtype=DTYPES[case], eps=1e-5), *texts(2, 5, 11), dtype=DTYPES[case])


def test_non_contiguous_numbers(check):
    ids, segments = texts(5, 2, 11)
    check(layer(check, 11, 8, 7), ids.T, segments.T, dtype=torch.float32)


def test_gradients(check):
    check(layer(check, 11, 8, 7), *texts(2, 5, 11), gradients=True, dtype=torch.float32)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two layers in turn, of other sizes."""
    layers = []
    for _ in range(2):
        vocab, d, max_len = random.randint(40, 90), random.randint(17, 40), random.randint(20, 50)
        segments = random.randint(2, 4)
        layers.append((layer(check, vocab, d, max_len, segments), vocab, max_len, segments))
    for turn in range(2):
        for module, vocab, max_len, segments in layers:
            ids, kinds = texts(random.randint(2, 6), random.randint(2, max_len), vocab, segments)
            check(module, ids, kinds, gradients=turn == 0, dtype=torch.float32)
    module, vocab, max_len, _ = layers[0]
    check(module, texts(3, max_len, vocab)[0], dtype=torch.float32)


@reference("BertEmbeddings")
def row_by_row(parameters, ids, segments=None, *, vocab_size, d_model, max_len, n_segments=2, eps=1e-12):
    """By products with rows of 0 and 1 in place of looking up."""

    def rows(name, numbers, count):
        one_hot = (numbers[..., None] == torch.arange(count)).to(parameters[name].dtype)
        return one_hot @ parameters[name]

    segments = torch.zeros_like(ids) if segments is None else segments
    x = rows("word.weight", ids, vocab_size) + rows("segment.weight", segments, n_segments)
    x = x + parameters["position.weight"][: ids.shape[1]]
    centred = x - x.mean(-1, keepdim=True)
    normed = centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt()
    return normed * parameters["norm.weight"] + parameters["norm.bias"]


@mistake(blank="parameters")
def eps_of_torch(self, vocab_size, d_model, max_len, n_segments):
    self.word = nn.Embedding(vocab_size, d_model)
    self.position = nn.Embedding(max_len, d_model)
    self.segment = nn.Embedding(n_segments, d_model)
    self.norm = nn.LayerNorm(d_model)


@mistake(blank="parameters")
def padding_has_no_gradient(self, vocab_size, d_model, max_len, n_segments, eps):
    self.word = nn.Embedding(vocab_size, d_model, padding_idx=0)
    self.position = nn.Embedding(max_len, d_model)
    self.segment = nn.Embedding(n_segments, d_model)
    self.norm = nn.LayerNorm(d_model, eps=eps)


@mistake(blank="parameters")
def always_two_segments(self, vocab_size, d_model, max_len, eps):
    self.word = nn.Embedding(vocab_size, d_model)
    self.position = nn.Embedding(max_len, d_model)
    self.segment = nn.Embedding(2, d_model)
    self.norm = nn.LayerNorm(d_model, eps=eps)


@mistake(blank="default")
def no_segments_at_all(self, ids, segments):
    if segments is None:
        return self.norm(self.word(ids) + self.position(torch.arange(ids.shape[1])))


@mistake(blank="default")
def the_second_by_default(ids, segments):
    if segments is None:
        segments = torch.ones_like(ids)


@mistake(blank="default")
def needs_segments():
    pass


@mistake(blank="places")
def places_from_one(ids):
    places = torch.arange(1, ids.shape[1] + 1)


@mistake(blank="places")
def places_along_the_batch(ids):
    places = torch.arange(ids.shape[0])[:, None]


@mistake(blank="places")
def places_do_not_move(ids):
    places = torch.zeros_like(ids)


@mistake(blank="places")
def places_count_from_the_end(ids):
    places = torch.arange(ids.shape[1]).flip(0)


@mistake(blank="places")
def places_restart_with_the_segment(ids, segments):
    starts = torch.ones_like(segments, dtype=torch.bool)
    starts[:, 1:] = segments[:, 1:] != segments[:, :-1]
    index = torch.arange(ids.shape[1])
    places = index - torch.where(starts, index, 0).cummax(dim=1).values


@mistake(blank="total")
def forgets_the_positions(self, ids, segments):
    total = self.word(ids) + self.segment(segments)


@mistake(blank="total")
def forgets_the_segments(self, ids, places):
    total = self.word(ids) + self.position(places)


@mistake(blank="total")
def scales_the_words(self, ids, places, segments):
    total = self.word(ids) * self.word.embedding_dim**0.5 + self.position(places) + self.segment(segments)


@mistake(blank="total")
def norms_the_words_alone(self, ids, places, segments):
    return self.norm(self.word(ids)) + self.position(places) + self.segment(segments)


@mistake(blank="total")
def averages(self, ids, places, segments):
    total = (self.word(ids) + self.position(places) + self.segment(segments)) / 3


@mistake(blank="norm")
def forgets_the_norm(total):
    return total


@mistake(blank="norm")
def silences_padding(self, ids, total):
    return self.norm(total) * (ids != 0)[..., None]


@mistake(blank="norm")
def one_vector_for_each_sequence(self, total):
    return self.norm(total)[:, 0]
