import math
import random

import pytest
import torch
import torch.nn.functional as F

from clozekit.grading import mistake, reference

# tokens, window. Most texts are no whole number of windows.
SIZES = {
    "a text of several windows": (11, 4),
    "a whole number of windows": (12, 4),
    "one token more than a window": (5, 4),
    "each token alone": (5, 1),
    "a window of two": (7, 2),
    "a window as long as the text": (6, 6),
    "a window longer than the text": (5, 9),
    "one token": (1, 3),
}

TEXTS = {"short text": (80, 110), "long text": (330, 390)}  # tokens; drawn, so that no length is known to be measured

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(t, b=2, h=3, d=7, dtype=torch.float32):
    """q, k, v, each [b, h, t, d]; scores of about 2, so that the softmax is far from even."""
    return torch.randn(3, b, h, t, d).mul_(1.4).to(dtype)


@pytest.mark.parametrize("case", SIZES)
def test_windows(check, case):
    t, window = SIZES[case]
    check("sliding_window_attention", *draw(t), window)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    check("sliding_window_attention", *draw(11, dtype=DTYPES[case]), 4)


@pytest.mark.parametrize("slope", [5000, -5000], ids=["later keys", "earlier keys"])
def test_hidden_keys_score_far_higher(check, slope):
    """Key j scores about ±5000 j with every query, less than -10,000 wherever it may be seen."""
    q, k, v = draw(11)
    q[..., 0] = math.sqrt(7)
    k[..., 0] = slope * torch.arange(11) - (80_000 if slope > 0 else 20_000)
    check("sliding_window_attention", q, k, v, 4)


def test_non_contiguous_inputs(check):
    """As a projection splits its heads: [b, t, h, d] transposed."""
    q, k, v = (x.transpose(1, 2).contiguous().transpose(1, 2) for x in draw(11))
    check("sliding_window_attention", q, k, v, 4)


def test_gradients(check):
    check("sliding_window_attention", *draw(11), 4, gradients=True)


@pytest.mark.parametrize("text", TEXTS)
def test_cost(check, text):
    """Of a window and heads so small that even one boolean for each pair of tokens shows."""
    check("sliding_window_attention", *draw(random.randint(*TEXTS[text]), 1, 1, 2), random.randint(2, 3), measured=True)


def test_cost_of_a_window_far_longer_than_the_text(check):
    check("sliding_window_attention", *draw(random.randint(17, 24), 1, 1, 4), random.randint(300, 500), measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next: each size with two windows."""
    half = random.choice([*DTYPES.values()])
    for dtype, t, d in ((torch.float32, random.randint(60, 90), random.randint(33, 40)), (half, 37, 2)):
        sizes = t, random.randint(2, 3), random.randint(4, 6), d
        for window in random.sample(range(2, 36), 2):
            check("sliding_window_attention", *draw(*sizes, dtype=dtype), window, gradients=dtype == torch.float32)
    t = random.randint(9, 20)
    check("sliding_window_attention", *draw(t, 1, 1, 5), t - 1)
    check("sliding_window_attention", *draw(random.randint(150, 200), 1, 2, 3), random.randint(100, 140))


@reference("sliding_window_attention")
def each_query_with_its_own_keys(q, k, v, window):
    """The window of each query as an axis of its own, [b, h, t, d, window]; what stands before the text has no score."""
    t, d = q.shape[2:]
    window = min(window, t)
    keys, values = (F.pad(x, (0, 0, window - 1, 0)).unfold(2, window, 1) for x in (k, v))
    scores = (q[..., None] * keys).sum(dim=3) / math.sqrt(d)  # [b, h, t, window]
    exists = torch.arange(t)[:, None] + torch.arange(window) >= window - 1
    weights = scores.masked_fill(~exists, -math.inf).softmax(-1)
    return (weights[:, :, :, None] * values).sum(-1)


@mistake("sliding_window_attention")
def computes_every_score(q, k, v, window):
    position = torch.arange(q.shape[2])
    back = position[:, None] - position
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill((back < 0) | (back >= window), -math.inf).softmax(dim=-1) @ v


@mistake(blank="visible")
def mask_of_the_whole_text(q, size, window):
    position = torch.arange(-size, q.shape[2] * size)
    back = position[size:, None] - position
    whole = (back >= 0) & (back < window) & (position >= 0)
    visible = torch.stack([whole[i : i + size, i : i + 2 * size] for i in range(0, len(whole), size)])


@mistake(blank="blocks")
def blocks_as_large_as_any_window(q, k, v, t, window):
    size = window
    q, k, v = (F.pad(x, (0, 0, 0, -t % size)).unflatten(2, (-1, size)) for x in (q, k, v))


@mistake(blank="blocks")
def needs_whole_blocks(q, k, v, t, window):
    size = min(window, t)
    q, k, v = (x.unflatten(2, (-1, size)) for x in (q, k, v))


@mistake("sliding_window_attention")
def leaves_out_the_last_tokens(q, k, v, window):
    t, d = q.shape[2:]
    size = min(window, t)
    q, k, v = (x[:, :, : t - t % size].unflatten(2, (-1, size)) for x in (q, k, v))
    keys, values = (torch.cat([F.pad(x, (0, 0, 0, 0, 1, 0))[:, :, :-1], x], dim=3) for x in (k, v))
    query = torch.arange(q.shape[2] * size).view(-1, size, 1)
    key = query[:, :1] + torch.arange(-size, size)
    visible = (key >= 0) & (key <= query) & (query - key < window)
    scores = q @ keys.mT / math.sqrt(d)
    return (scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values).flatten(2, 3)


@mistake("sliding_window_attention")
def stays_in_its_block(q, k, v, window):
    t, d = q.shape[2:]
    size = min(window, t)
    q, k, v = (F.pad(x, (0, 0, 0, -t % size)).unflatten(2, (-1, size)) for x in (q, k, v))
    later = torch.ones(size, size, dtype=torch.bool).triu(1)
    scores = (q @ k.mT / math.sqrt(d)).masked_fill(later, -math.inf)
    return (scores.softmax(dim=-1) @ v).flatten(2, 3)[:, :, :t]


@mistake("sliding_window_attention")
def wraps_around(q, k, v, window):
    t, d = q.shape[2:]
    size = min(window, t)
    q, k, v = (F.pad(x, (0, 0, 0, -t % size)).unflatten(2, (-1, size)) for x in (q, k, v))
    keys, values = (torch.cat([x.roll(1, dims=2), x], dim=3) for x in (k, v))
    back = torch.arange(size)[:, None] - torch.arange(-size, size)
    scores = (q @ keys.mT / math.sqrt(d)).masked_fill((back < 0) | (back >= window), -math.inf)
    return (scores.softmax(dim=-1) @ values).flatten(2, 3)[:, :, :t]


@mistake(blank="visible")
def padding_counts(q, size, window):
    query = torch.arange(q.shape[2] * size).view(-1, size, 1)
    key = query[:, :1] + torch.arange(-size, size)
    visible = (key <= query) & (query - key < window)


@mistake(blank="visible")
def one_too_many(q, size, window):
    query = torch.arange(q.shape[2] * size).view(-1, size, 1)
    key = query[:, :1] + torch.arange(-size, size)
    visible = (key >= 0) & (key <= query) & (query - key <= window)


@mistake(blank="visible")
def one_too_few(q, size, window):
    query = torch.arange(q.shape[2] * size).view(-1, size, 1)
    key = query[:, :1] + torch.arange(-size, size)
    visible = (key >= 0) & (key <= query) & (query - key < max(window - 1, 1))


@mistake(blank="visible")
def no_far_end(q, size):
    query = torch.arange(q.shape[2] * size).view(-1, size, 1)
    key = query[:, :1] + torch.arange(-size, size)
    visible = (key >= 0) & (key <= query)


@mistake("sliding_window_attention")
def looks_both_ways(q, k, v, window):
    t, d = q.shape[2:]
    before, after = (window - 1) - (window - 1) // 2, (window - 1) // 2
    keys, values = (F.pad(x, (0, 0, before, after)).unfold(2, before + after + 1, 1) for x in (k, v))
    place = torch.arange(t)[:, None] + torch.arange(-before, after + 1)
    scores = (q[..., None] * keys).sum(dim=3) / math.sqrt(d)
    weights = scores.masked_fill((place < 0) | (place >= t), -math.inf).softmax(dim=-1)
    return (weights[:, :, :, None] * values).sum(dim=-1)


@mistake("sliding_window_attention")
def looks_both_ways_by_a_window(q, k, v, window):
    t, d = q.shape[2:]
    side = min(window, t) - 1
    keys, values = (F.pad(x, (0, 0, side, side)).unfold(2, 2 * side + 1, 1) for x in (k, v))
    place = torch.arange(t)[:, None] + torch.arange(-side, side + 1)
    scores = (q[..., None] * keys).sum(dim=3) / math.sqrt(d)
    weights = scores.masked_fill((place < 0) | (place >= t), -math.inf).softmax(dim=-1)
    return (weights[:, :, :, None] * values).sum(dim=-1)


@mistake(blank="attend")
def forgets_scale(q, keys, values, visible):
    scores = q @ keys.mT
    blocks = scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values


@mistake(blank="attend")
def scales_by_the_window(q, keys, values, visible, window):
    scores = q @ keys.mT / math.sqrt(window)
    blocks = scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values


@mistake(blank="attend")
def mask_too_weak(q, keys, values, visible, d):
    scores = q @ keys.mT / math.sqrt(d)
    blocks = scores.masked_fill(~visible, -1e4).softmax(dim=-1) @ values


@mistake(blank="attend")
def masks_weights(q, keys, values, visible, d):
    weights = (q @ keys.mT / math.sqrt(d)).softmax(dim=-1)
    blocks = weights.masked_fill(~visible, 0) @ values


@mistake(blank="attend")
def masks_weights_and_renormalises(q, keys, values, visible, d):
    weights = (q @ keys.mT / math.sqrt(d)).softmax(dim=-1).masked_fill(~visible, 0)
    blocks = weights / weights.sum(dim=-1, keepdim=True) @ values


@mistake(blank="attend")
def float32_mask(q, keys, values, visible, d):
    scores = q @ keys.mT / math.sqrt(d) + (~visible).float().masked_fill(~visible, -math.inf)
    blocks = scores.softmax(dim=-1) @ values


@mistake(blank="attend")
def nan_in_the_gradient(q, keys, values, visible, d, t):
    exists = torch.arange(visible.shape[0] * visible.shape[1]).view(*visible.shape[:2], 1) < t
    scores = q @ keys.mT / math.sqrt(d)
    blocks = scores.masked_fill(~(visible & exists), -math.inf).softmax(dim=-1) @ values
