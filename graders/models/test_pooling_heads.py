import math
import random

import pytest
import torch
from torch import nn

from clozekit.grading import mistake, reference

# Real tokens of each of three sequences of 6, by where the padding stands.
MASKS = {
    "no padding": [[1, 1, 1, 1, 1, 1]] * 3,
    "padding on the right": [[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]],
    "padding on the left": [[1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1]],
    "padding on both sides": [[0, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 0], [0, 1, 0, 1, 1, 0]],
}

HOW = "cls", "mean", "last"
DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def masked(case):
    return torch.tensor(MASKS[case], dtype=torch.bool)


def draw(mask, d, dtype=torch.float32):
    """h [*mask.shape, d]; what stands at padding is large, so that it shows."""
    h = torch.randn(*mask.shape, d)
    return torch.where(mask[..., None], h, 50 + h).to(dtype)


def linear(name, inputs, outputs, bias=True, dtype=torch.float32):
    weight = {f"{name}.weight": (torch.randn(outputs, inputs) / math.sqrt(inputs)).to(dtype)}
    return weight | ({f"{name}.bias": torch.randn(outputs).to(dtype)} if bias else {})


def classifier(check, d, labels, dtype=torch.float32):
    drawn = linear("dense", d, d, dtype=dtype) | linear("out", d, labels, dtype=dtype)
    return check.new("ClassificationHead", d_model=d, num_labels=labels, parameters=drawn)


def scorer(check, d, dtype=torch.float32):
    return check.new("ScalarHead", d_model=d, parameters=linear("out", d, 1, False, dtype))


@pytest.mark.parametrize("case", MASKS)
def test_pool(check, case):
    """Of fewer features than tokens, so that no number of features is beyond the last place."""
    mask = masked(case)
    for how in HOW:
        check("pool", draw(mask, 3), mask, how)


def test_one_token(check):
    for how in HOW:
        check("pool", torch.randn(2, 1, 5), torch.ones(2, 1, dtype=torch.bool), how)


def test_infinite_padding(check):
    mask = masked("padding on both sides")
    h = draw(mask, 7).masked_fill(~mask[..., None], math.inf)
    for how in HOW:
        check("pool", h, mask, how, once=True)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    """So many tokens that their sum leaves float16, and that a count of them leaves bfloat16."""
    mask = torch.ones(2, 401, dtype=torch.bool)
    mask[1, 333:] = False
    h = (200 + torch.randn(2, 401, 6)).to(DTYPES[case])
    for how in HOW:
        check("pool", h, mask, how)


def test_non_contiguous_input(check):
    mask = torch.tensor([[1, 1, 1, 0], [1, 0, 1, 1]], dtype=torch.bool).T  # [4, 2]
    h = torch.randn(2, 4, 5).transpose(0, 1)
    for how in HOW:
        check("pool", h, mask, how)


def test_gradients(check):
    mask = masked("padding on both sides")
    for how in HOW:
        check("pool", torch.randn(3, 6, 7), mask, how, gradients=True)


@pytest.mark.parametrize("case", MASKS)
def test_classification(check, case):
    mask = masked(case)
    check(classifier(check, 7, 4), draw(mask, 7), mask)


@pytest.mark.parametrize("case", MASKS)
def test_score(check, case):
    mask = masked(case)
    check(scorer(check, 7), draw(mask, 7), mask)


def test_heads_with_gradients(check):
    mask = masked("padding on the right")
    check(classifier(check, 7, 4), draw(mask, 7), mask, gradients=True)
    check(scorer(check, 7), draw(mask, 7), mask, gradients=True)


@pytest.mark.parametrize("case", DTYPES)
def test_heads_in_half_precision(check, case):
    mask = masked("padding on the right")
    check(classifier(check, 7, 4, DTYPES[case]), draw(mask, 7, DTYPES[case]), mask)
    check(scorer(check, 7, DTYPES[case]), draw(mask, 7, DTYPES[case]), mask)


def test_heads_of_one_sequence(check):
    """One sequence and one label: no axis goes that should stay."""
    mask = torch.tensor([[0, 1, 1, 0]], dtype=torch.bool)
    check(classifier(check, 5, 1), draw(mask, 5), mask)
    check(scorer(check, 5), draw(mask, 5), mask)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two heads in turn, each kind of padding."""
    d, labels = random.randint(9, 30), random.randint(2, 12)
    heads = classifier(check, d, labels), scorer(check, d)
    for _ in range(2):
        b, t = random.randint(4, 9), random.randint(20, 60)
        mask = torch.rand(b, t) < 0.6
        mask[:, random.randrange(t)] = True
        h = draw(mask, d)
        for how in HOW:
            check("pool", h, mask, how)
        for head in heads:
            check(head, h, mask)
    check("pool", draw(mask, d, torch.bfloat16), mask, "mean")


@reference("pool", compute=torch.float32)
def pool(h, mask, how):
    rows = []
    for sequence, real in zip(h, mask, strict=True):
        tokens = sequence[real]  # [n, d], real ones alone
        rows.append(tokens.mean(0) if how == "mean" else tokens[0 if how == "cls" else -1])
    return torch.stack(rows)


@reference("ClassificationHead")
def classification(parameters, h, mask, *, d_model, num_labels):
    x = pool(h, mask, "cls") @ parameters["dense.weight"].T + parameters["dense.bias"]
    return torch.tanh(x) @ parameters["out.weight"].T + parameters["out.bias"]


@reference("ScalarHead")
def scalar(parameters, h, mask, *, d_model):
    return pool(h, mask, "last") @ parameters["out.weight"][0]


@mistake(blank="mean")
def averages_padding(h, how):
    if how == "mean":
        return h.float().mean(dim=1).to(h.dtype)


@mistake(blank="mean")
def divides_by_the_length(h, mask, how):
    if how == "mean":
        return (h.masked_fill(~mask[..., None], 0).float().sum(dim=1) / h.shape[1]).to(h.dtype)


@mistake(blank="mean")
def multiplies_by_the_mask(h, mask, how):
    if how == "mean":
        return ((h.float() * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)).to(h.dtype)


@mistake(blank="mean")
def one_count_for_the_batch(h, mask, how):
    if how == "mean":
        return (h.masked_fill(~mask[..., None], 0).float().sum(dim=1) * len(h) / mask.sum()).to(h.dtype)


@mistake(blank="mean")
def sums(h, mask, how):
    if how == "mean":
        return h.masked_fill(~mask[..., None], 0).float().sum(dim=1).to(h.dtype)


@mistake(blank="mean")
def sums_in_half(h, mask, how):
    if how == "mean":
        total = torch.zeros_like(h[:, 0])
        for step in h.masked_fill(~mask[..., None], 0).unbind(dim=1):
            total = total + step
        return total / mask.sum(dim=1, keepdim=True)


@mistake(blank="first")
def first_whatever_the_mask(h, how):
    if how == "cls":
        return h[:, 0]


@mistake(blank="last")
def last_whatever_the_mask(h, how):
    if how == "last":
        return h[:, -1]


@mistake(blank="last")
def counts_from_the_left(mask, how):
    if how == "last":
        place = mask.sum(dim=1) - 1


@mistake(blank="last")
def one_side_for_the_batch(h, mask, how):
    if how == "last":
        place = mask.sum(dim=1) - 1
        if mask[:, -1].all():
            place = torch.full_like(place, h.shape[1] - 1)


@mistake(blank="last")
def one_too_far(h, mask, places, how):
    if how == "last":
        place = (places.expand_as(mask).masked_fill(~mask, -1).amax(dim=1) + 1).clamp(max=h.shape[1] - 1)


@mistake(blank="last")
def before_the_first_padding(h, mask, how):
    if how == "last":
        place = (~mask).int().argmax(dim=1) - 1


@mistake(blank="take")
def keeps_the_axis(h, place):
    return h[torch.arange(len(h)), place][:, None]


@mistake(blank="take")
def every_sequence_with_every_place(h, place):
    return h[:, place].mean(dim=1)


@mistake(blank="classify")
def forgets_the_tanh(self, h, mask):
    return self.out(self.dense(pool(h, mask, "cls")))


@mistake(blank="classify")
def forgets_the_dense_layer(self, h, mask):
    return self.out(torch.tanh(pool(h, mask, "cls")))


@mistake(blank="classify")
def classifies_the_mean(self, h, mask):
    return self.out(torch.tanh(self.dense(pool(h, mask, "mean"))))


@mistake(blank="classify")
def probabilities_for_logits(self, h, mask):
    return self.out(torch.tanh(self.dense(pool(h, mask, "cls")))).softmax(dim=-1)


@mistake(blank="score")
def scores_the_first_token(self, h, mask):
    return self.out(pool(h, mask, "cls")).squeeze(-1)


@mistake(blank="score")
def scores_the_mean(self, h, mask):
    return self.out(pool(h, mask, "mean")).squeeze(-1)


@mistake(blank="score")
def a_column_of_scores(self, h, mask):
    return self.out(pool(h, mask, "last"))


@mistake(blank="score")
def squeezes_every_axis(self, h, mask):
    return self.out(pool(h, mask, "last")).squeeze()


@mistake("ScalarHead.__init__")
def a_bias_for_the_score(self, d_model):
    super().__init__()
    self.out = nn.Linear(d_model, 1)
