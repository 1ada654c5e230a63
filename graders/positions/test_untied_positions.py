import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# sequences, heads, tokens, features, tokens that rel_bias has room for. Sizes differ, so that an axis taken for another shows.
SHAPES = {
    "a text as long as the table": (2, 3, 5, 7, 5),
    "room for longer texts": (2, 3, 5, 7, 9),
    "one head": (3, 1, 4, 6, 6),
    "one feature": (2, 3, 5, 1, 8),
    "two tokens": (2, 3, 2, 4, 3),
    "the first token alone": (2, 3, 1, 4, 3),
    "as many heads as sequences and tokens": (4, 4, 4, 6, 4),
}

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(b=2, h=3, t=5, d=7, m=9, dtype=torch.float32):
    """All that goes in, drawn so that each term is about as large as the others."""
    shapes = (b, h, t, d), (b, h, t, d), (h, t, d), (h, t, d), (h, 2 * m - 1), (h, 2)
    return [torch.randn(shape).to(dtype) for shape in shapes]


@pytest.mark.parametrize("case", SHAPES)
def test_logits(check, case):
    check("tupe_logits", *draw(*SHAPES[case]))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    check("tupe_logits", *draw(dtype=DTYPES[case]))


def test_non_contiguous_inputs(check):
    """As a projection splits its heads: [b, t, h, d] transposed; tables are columns of larger ones."""
    xq, xk, pq, pk, rel_bias, theta = draw()
    projected = (x.transpose(-3, -2).contiguous().transpose(-3, -2) for x in (xq, xk, pq, pk))
    check("tupe_logits", *projected, rel_bias.T.contiguous().T, theta.T.contiguous().T)


def test_gradients(check):
    check("tupe_logits", *draw(), gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next; each length with two tables."""
    half = random.choice([*DTYPES.values()])
    for dtype, d in ((torch.float32, random.randint(33, 40)), (half, 2), (torch.float32, 5)):
        b, h, t = random.randint(2, 3), random.randint(4, 9), random.randint(10, 18)
        for m in (t, t + random.randint(1, 30)):
            check("tupe_logits", *draw(b, h, t, d, m, dtype), gradients=dtype == torch.float32 and m == t)


@reference("tupe_logits")
def pair_by_pair(xq, xk, pq, pk, rel_bias, theta):
    """The position's part for one pair of positions after the other, in the words of the statement."""
    t, d = xq.shape[2:]
    middle = (rel_bias.shape[1] - 1) // 2

    def part(i, j):
        if i == 0:
            return theta[:, 0]
        if j == 0:
            return theta[:, 1]
        return (pq[:, i] * pk[:, j]).sum(-1) / math.sqrt(2 * d) + rel_bias[:, middle + j - i]

    positions = torch.stack([torch.stack([part(i, j) for j in range(t)], dim=-1) for i in range(t)], dim=-2)
    return xq @ xk.transpose(2, 3) / math.sqrt(2 * d) + positions


@mistake("tupe_logits")
def adds_positions_to_words(xq, xk, pq, pk, rel_bias, theta):
    t, d = xq.shape[2:]
    place = torch.arange(t)
    logits = (xq + pq) @ (xk + pk).mT / math.sqrt(2 * d)
    words = xq @ xk.mT / math.sqrt(2 * d)
    logits = logits + rel_bias[:, place - place[:, None] + rel_bias.shape[1] // 2]
    logits = torch.where(place == 0, words + theta[:, 1, None, None], logits)
    return torch.where(place[:, None] == 0, words + theta[:, 0, None, None], logits)


@mistake("tupe_logits")
def scales_by_one_term(xq, xk, pq, pk, rel_bias, theta):
    t, d = xq.shape[2:]
    place = torch.arange(t)
    positions = pq @ pk.mT / math.sqrt(d) + rel_bias[:, place - place[:, None] + rel_bias.shape[1] // 2]
    positions = torch.where(place == 0, theta[:, 1, None, None], positions)
    positions = torch.where(place[:, None] == 0, theta[:, 0, None, None], positions)
    return xq @ xk.mT / math.sqrt(d) + positions


@mistake("tupe_logits")
def scales_at_the_end(xq, xk, pq, pk, rel_bias, theta):
    t, d = xq.shape[2:]
    place = torch.arange(t)
    positions = pq @ pk.mT + rel_bias[:, place - place[:, None] + rel_bias.shape[1] // 2]
    positions = torch.where(place == 0, theta[:, 1, None, None], positions)
    positions = torch.where(place[:, None] == 0, theta[:, 0, None, None], positions)
    return (xq @ xk.mT + positions) / math.sqrt(2 * d)


@mistake(blank="words")
def words_scaled_as_if_alone(xq, xk, d):
    words = xq @ xk.mT / math.sqrt(d)


@mistake(blank="absolute")
def positions_without_scale(pq, pk):
    positions = pq @ pk.mT


@mistake(blank="absolute")
def queries_and_keys_exchanged(pq, pk, d):
    positions = pk @ pq.mT / math.sqrt(2 * d)


@mistake(blank="absolute")
def forgets_absolute_positions(pq, t):
    positions = pq.new_zeros(pq.shape[0], t, t)


@mistake(blank="relative")
def forgets_relative_positions(t):
    place = torch.arange(t)


@mistake(blank="relative")
def query_minus_key(positions, rel_bias, t):
    place = torch.arange(t)
    positions = positions + rel_bias[:, place[:, None] - place + rel_bias.shape[1] // 2]


@mistake(blank="relative")
def middle_from_the_length_of_the_text(positions, rel_bias, t):
    place = torch.arange(t)
    positions = positions + rel_bias[:, place - place[:, None] + t - 1]


@mistake(blank="relative")
def distances_alone(positions, rel_bias, t):
    place = torch.arange(t)
    positions = positions + rel_bias[:, (place - place[:, None]).abs() + rel_bias.shape[1] // 2]


@mistake(blank="relative")
def wraps_around(positions, rel_bias, t):
    place = torch.arange(t)
    positions = positions + rel_bias[:, place - place[:, None]]


@mistake(blank="untie")
def cls_stays_tied():
    pass


@mistake(blank="untie")
def thetas_exchanged(positions, place, theta):
    positions = torch.where(place == 0, theta[:, 0, None, None], positions)
    positions = torch.where(place[:, None] == 0, theta[:, 1, None, None], positions)


@mistake(blank="untie")
def the_corner_goes_to_the_column(positions, place, theta):
    positions = torch.where(place[:, None] == 0, theta[:, 0, None, None], positions)
    positions = torch.where(place == 0, theta[:, 1, None, None], positions)


@mistake(blank="untie")
def adds_theta(positions, place, theta):
    positions = positions + torch.where(place[:, None] == 0, theta[:, 0, None, None], 0)
    positions = positions + torch.where((place == 0) & (place[:, None] > 0), theta[:, 1, None, None], 0)


@mistake("tupe_logits")
def relative_bias_for_cls_as_well(xq, xk, pq, pk, rel_bias, theta):
    t, d = xq.shape[2:]
    place = torch.arange(t)
    positions = pq @ pk.mT / math.sqrt(2 * d)
    positions = torch.where(place == 0, theta[:, 1, None, None], positions)
    positions = torch.where(place[:, None] == 0, theta[:, 0, None, None], positions)
    positions = positions + rel_bias[:, place - place[:, None] + rel_bias.shape[1] // 2]
    return xq @ xk.mT / math.sqrt(2 * d) + positions


@mistake("tupe_logits")
def words_replaced_as_well(xq, xk, pq, pk, rel_bias, theta):
    t, d = xq.shape[2:]
    place = torch.arange(t)
    logits = (xq @ xk.mT + pq @ pk.mT) / math.sqrt(2 * d)
    logits = logits + rel_bias[:, place - place[:, None] + rel_bias.shape[1] // 2]
    logits = torch.where(place == 0, theta[:, 1, None, None], logits)
    return torch.where(place[:, None] == 0, theta[:, 0, None, None], logits)


@mistake(blank="untie")
def the_row_alone(positions, place, theta):
    positions = torch.where(place[:, None] == 0, theta[:, 0, None, None], positions)


@mistake(blank="untie")
def no_gradient_for_theta(positions, place, theta):
    rows = theta.detach()
    positions = torch.where(place == 0, rows[:, 1, None, None], positions)
    positions = torch.where(place[:, None] == 0, rows[:, 0, None, None], positions)
