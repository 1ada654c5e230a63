import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# b, heads of q, heads of k and v, t_q, t_k, head_dim. Sizes differ, so that an axis taken for another one shows.
SHAPES = {
    "two groups of three heads": (2, 6, 2, 5, 5, 7),
    "three groups of two heads": (2, 6, 3, 5, 5, 7),
    "one group: multi-query": (2, 6, 1, 5, 5, 7),
    "as many groups as heads: multi-head": (2, 3, 3, 5, 5, 7),
    "a prompt after cached tokens": (2, 6, 2, 4, 9, 7),
    "one new token": (2, 6, 2, 1, 9, 7),
    "one token": (1, 4, 2, 1, 1, 3),
    "one feature": (2, 4, 2, 3, 5, 1),
}

TEXTS = {"short text": (60, 75), "long text": (190, 230)}  # tokens; drawn, so that no length is known to be measured

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(b=2, h_q=6, h_kv=2, t_q=4, t_k=9, d=7, dtype=torch.float32):
    """q, k, v; scores of about 2, so that the softmax is far from even."""
    q, k = 1.5 * torch.randn(b, h_q, t_q, d), 1.5 * torch.randn(b, h_kv, t_k, d)
    return q.to(dtype), k.to(dtype), torch.randn(b, h_kv, t_k, d).to(dtype)


@pytest.mark.parametrize("case", SHAPES)
def test_causal(check, case):
    check("gqa", *draw(*SHAPES[case]))


@pytest.mark.parametrize("case", ["two groups of three heads", "one new token"])
def test_not_causal(check, case):
    check("gqa", *draw(*SHAPES[case]), False)


def test_more_queries_than_keys_where_nothing_is_causal(check):
    check("gqa", *draw(t_q=8, t_k=3), causal=False)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    check("gqa", *draw(dtype=DTYPES[case]))


def test_scores_in_the_thousands(check):
    """Key j scores about 5000 j - 40,000 with every query: later keys, which it must not see, score far higher."""
    q, k, v = draw(t_k=7)
    q[..., 0] = math.sqrt(7)
    k[..., 0] = 5000 * torch.arange(7) - 40_000
    check("gqa", q, k, v)


def test_non_contiguous_inputs(check):
    """As a projection splits its heads: [b, t, h, d] transposed."""
    check("gqa", *(x.transpose(1, 2).contiguous().transpose(1, 2) for x in draw()))


def test_gradients(check):
    check("gqa", *draw(), gradients=True)


@pytest.mark.parametrize("text", TEXTS)
def test_memory_for_a_new_token(check, text):
    """So many queries share a head of keys that a copy of it for each of them shows."""
    check("gqa", *draw(1, 16, 2, 1, random.randint(*TEXTS[text]), 32), measured=True)


@pytest.mark.parametrize("text", TEXTS)
def test_memory_for_a_prompt(check, text):
    """Heads so wide that a copy of k shows beside the scores of several queries."""
    t_q = random.randint(2, 3)
    check("gqa", *draw(1, 32, 2, t_q, random.randint(*TEXTS[text]), 128), measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    half = random.choice([*DTYPES.values()])
    for dtype, groups, d in ((torch.float32, random.randint(4, 5), random.randint(33, 40)), (half, 3, 2)):
        t_q = random.randint(17, 24)
        sizes = random.randint(2, 3), groups * random.randint(2, 4), groups, t_q, t_q + random.randint(9, 20), d
        check("gqa", *draw(*sizes, dtype=dtype), random.choice([True, False]))
        check("gqa", *draw(*sizes, dtype=dtype), gradients=dtype == torch.float32)
    check("gqa", *draw(1, 4, 2, 3, random.randint(140, 170), 5))


@reference("gqa")
def one_query_after_the_other(q, k, v, causal=True):
    """Each head by itself, each query with the keys up to its own: nothing to group, no mask to get wrong."""
    h_q, t_q, d = q.shape[1:]
    h_kv, t_k = k.shape[1:3]
    heads = []
    for i in range(h_q):
        keys, values = k[:, i * h_kv // h_q], v[:, i * h_kv // h_q]
        rows = []
        for j in range(t_q):
            seen = t_k - t_q + j + 1 if causal else t_k
            scores = (keys[:, :seen] @ q[:, i, j, :, None]).squeeze(-1) / math.sqrt(d)
            rows.append((scores.softmax(-1)[:, None] @ values[:, :seen]).squeeze(1))
        heads.append(torch.stack(rows, dim=1))
    return torch.stack(heads, dim=1)


@mistake("gqa")
def expands_keys(q, k, v, causal=True):
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(k.shape[2] - q.shape[2] + 1)
        scores = scores.masked_fill(later, -math.inf)
    return scores.softmax(dim=-1) @ v


@mistake("gqa")
def tiles_keys(q, k, v, causal=True):
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat(1, groups, 1, 1), v.repeat(1, groups, 1, 1)
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(k.shape[2] - q.shape[2] + 1)
        scores = scores.masked_fill(later, -math.inf)
    return scores.softmax(dim=-1) @ v


@mistake(blank="score")
def first_head_for_all(rows, k, d):
    scores = rows @ k[:, :1].mT / math.sqrt(d)


@mistake(blank="group")
def splits_time(q, b, h_kv, h_q, t_q, d):
    rows = q.transpose(1, 2).reshape(b, h_kv, h_q // h_kv * t_q, d)


@mistake(blank="group")
def views_query(q, b, h_kv, h_q, t_q, d):
    rows = q.view(b, h_kv, h_q // h_kv * t_q, d)


@mistake(blank="score")
def forgets_scale(rows, k):
    scores = rows @ k.mT


@mistake(blank="score")
def divides_by_head_dim(rows, k, d):
    scores = rows @ k.mT / d


@mistake(blank="score")
def scales_by_all_heads(rows, k, d, h_q):
    scores = rows @ k.mT / math.sqrt(h_q * d)


@mistake(blank="block")
def sees_the_future():
    pass


@mistake(blank="block")
def always_causal(scores, q, t_k, t_q):
    later = torch.ones(t_q, t_k, dtype=torch.bool).triu(t_k - t_q + 1)
    scores = scores.unflatten(2, (-1, t_q)).masked_fill(later, -math.inf).flatten(2, 3)


@mistake(blank="block")
def aligned_at_the_start(scores, q, t_k, t_q, causal):
    if causal:
        later = torch.ones(t_q, t_k, dtype=torch.bool).triu(1)
        scores = scores.unflatten(2, (-1, t_q)).masked_fill(later, -math.inf).flatten(2, 3)


@mistake(blank="block")
def one_too_many(scores, q, t_k, t_q, causal):
    if causal:
        later = torch.ones(t_q, t_k, dtype=torch.bool).triu(t_k - t_q + 2)
        scores = scores.unflatten(2, (-1, t_q)).masked_fill(later, -math.inf).flatten(2, 3)


@mistake(blank="block")
def mask_runs_through_the_group(scores, causal):
    if causal:
        n, t_k = scores.shape[-2:]
        later = torch.ones(n, t_k, dtype=torch.bool).triu(max(0, t_k - n) + 1)
        scores = scores.masked_fill(later, -math.inf)


@mistake(blank="block")
def mask_of_another_order(scores, t_k, t_q, causal):
    if causal:
        later = torch.ones(t_q, t_k, dtype=torch.bool).triu(t_k - t_q + 1)
        later = later.repeat_interleave(scores.shape[2] // t_q, dim=0)
        scores = scores.masked_fill(later, -math.inf)


@mistake(blank="block")
def mask_too_weak(scores, t_k, t_q, causal):
    if causal:
        later = torch.ones(t_q, t_k, dtype=torch.bool).triu(t_k - t_q + 1)
        scores = scores.unflatten(2, (-1, t_q)).masked_fill(later, -1e4).flatten(2, 3)


@mistake(blank="block")
def float32_mask(scores, t_k, t_q, causal):
    if causal:
        later = torch.full((t_q, t_k), -math.inf).triu(t_k - t_q + 1)
        scores = (scores.unflatten(2, (-1, t_q)) + later).flatten(2, 3)


@mistake(blank="attend")
def softmax_over_the_group(scores, v):
    averages = scores.softmax(dim=-2) @ v


@mistake(blank="attend")
def softmax_overflows(scores, v):
    weights = scores.exp()
    averages = weights / weights.sum(dim=-1, keepdim=True) @ v


@mistake(blank="ungroup")
def ungroups_in_another_order(averages, b, h_kv, h_q, t_q, d):
    return averages.unflatten(2, (t_q, -1)).transpose(2, 3).reshape(b, h_q, t_q, d)


@mistake(blank="ungroup")
def time_before_heads(averages, b, h_q, t_q, d):
    return averages.reshape(b, h_q, t_q, d).transpose(1, 2)


@mistake(blank="ungroup")
def averages_the_group(averages, t_q):
    return averages.unflatten(2, (-1, t_q)).mean(dim=2)
