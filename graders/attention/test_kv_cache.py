import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# How many tokens each call brings: never 2, 3 or 10, so that tokens are not taken for sequences, heads or features.
CALLS = {
    "at once": [6],
    "token by token": [1, 1, 1, 1, 1],
    "in chunks": [5, 4, 6],
    "prefill then decode": [6, 1, 1],
}

TEXTS = {"short text": (6, 9), "long text": (19, 25)}  # tokens; drawn, so that no length is known to be measured

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(total, dtype=torch.float32, b=2, h=3, head_dim=10):
    """q, k, v, each [b, h, total, head_dim]; scores of about 2, so that the softmax is far from even."""
    return torch.randn(3, b, h, total, head_dim).mul_(1.5).to(dtype)


def calls(tokens, counts):
    """For each call its q, k, v, and the keys and values that it must see: all up to its last token."""
    start = 0
    for count in counts:
        end = start + count
        q, k, v = tokens[..., start:end, :].contiguous()
        yield (q, k, v), tuple(tokens[1:, ..., :end, :])
        start = end


@pytest.mark.parametrize("case", CALLS)
def test_append_returns_everything(check, case):
    cache = check.new("KVCache")
    for (_, k, v), seen in calls(draw(sum(CALLS[case])), CALLS[case]):
        check(cache.append, k, v, like=seen)
        check(cache.method("__len__"), returns=seen[0].shape[2])


def test_a_new_cache_is_empty(check):
    check(check.new("KVCache").method("__len__"), returns=0)


@pytest.mark.parametrize("case", CALLS)
def test_attend(check, case):
    cache = check.new("KVCache")
    for (q, k, v), seen in calls(draw(sum(CALLS[case])), CALLS[case]):
        check("attend", q, k, v, cache, like=(q, *seen))
    check(cache.method("__len__"), returns=sum(CALLS[case]))


def test_attend_after_append(check):
    cache = check.new("KVCache")
    first, second = calls(draw(9), [5, 4])
    (_, k, v), seen = first
    check(cache.append, k, v, like=seen)
    (q, k, v), seen = second
    check("attend", q, k, v, cache, like=(q, *seen))


def test_two_caches_in_turn(check):
    caches = check.new("KVCache"), check.new("KVCache")
    for pair in zip(calls(draw(6), [4, 1, 1]), calls(draw(6), [4, 1, 1]), strict=True):
        for cache, ((q, k, v), seen) in zip(caches, pair, strict=True):
            check("attend", q, k, v, cache, like=(q, *seen))


def test_scores_in_the_thousands(check):
    """Key j scores about 5000 j - 20,000 with every query: later keys, which it must not see, score far higher."""
    q, k, v = draw(6)
    q[..., 0] = math.sqrt(10)
    k[..., 0] = 5000 * torch.arange(6) - 20_000
    cache = check.new("KVCache")
    for new, seen in calls(torch.stack([q, k, v]), [4, 2]):
        check("attend", *new, cache, like=(new[0], *seen))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    cache = check.new("KVCache")
    first, second = calls(draw(9, DTYPES[case]), [5, 4])
    (_, k, v), seen = first
    check(cache.append, k, v, like=seen)
    (q, k, v), seen = second
    check("attend", q, k, v, cache, like=(q, *seen))


def test_non_contiguous_inputs(check):
    """As a projection splits its heads: [b, n, h, head_dim] transposed."""
    cache = check.new("KVCache")
    for (q, k, v), seen in calls(draw(9), [5, 4]):
        q, k, v = (x.transpose(1, 2).contiguous().transpose(1, 2) for x in (q, k, v))
        check("attend", q, k, v, cache, like=(q, *seen))


@pytest.mark.parametrize("text", TEXTS)
def test_cost_of_a_token(check, text):
    """Of the last one; all come one by one. What grows faster than the text is too much at the second size."""
    cache, tokens = check.new("KVCache"), random.randint(*TEXTS[text])
    for (q, k, v), seen in calls(draw(tokens, b=1, h=2, head_dim=random.randint(13, 19)), [1] * tokens):
        check("attend", q, k, v, cache, like=(q, *seen), measured=seen[0].shape[2] == tokens)


def test_cost_of_a_token_behind_a_long_prompt(check):
    """What is made for every pair of tokens, a mask for instance, is far more than the one row that it needs."""
    cache, prompt = check.new("KVCache"), random.randint(2050, 2200)
    first, last = calls(draw(prompt + 1, b=1, h=2, head_dim=random.randint(13, 19)), [prompt, 1])
    (_, k, v), seen = first
    check(cache.append, k, v, like=seen)
    (q, k, v), seen = last
    check("attend", q, k, v, cache, like=(q, *seen), measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two caches in turn, of other sizes and dtypes; each takes a long prompt, attends, and takes more."""
    texts = []
    one_head = random.randint(2049, 2200), 1, 1, random.randint(11, 16)  # tokens, batch, heads, head_dim
    several = random.randint(65, 130), random.randint(2, 4), random.randint(5, 6), random.randint(33, 40)
    dtypes = (
        torch.float32,
        random.choice([*DTYPES.values()]),
    )  # the long one in full: half precision would hide a little
    for dtype, (prompt, *sizes) in zip(dtypes, (one_head, several), strict=True):
        counts = [prompt, *random.sample([1, random.randint(17, 40)], k=2), random.randint(1, 9)]
        texts.append((check.new("KVCache"), calls(draw(sum(counts), dtype, *sizes), counts)))
    for cache, text in texts:
        (_, k, v), seen = next(text)
        check(cache.append, k, v, like=seen)
    for _ in range(2):
        for cache, text in texts:
            (q, k, v), seen = next(text)
            check("attend", q, k, v, cache, like=(q, *seen))
            check(cache.method("__len__"), returns=seen[0].shape[2])
    for cache, text in texts:
        (_, k, v), seen = next(text)
        check(cache.append, k, v, like=seen)


@pytest.mark.hidden
def test_a_long_prompt_at_once_and_then_token_by_token(check):
    counts = [random.randint(17, 40), *[1] * random.randint(9, 12)]
    cache = check.new("KVCache")
    for (q, k, v), seen in calls(draw(sum(counts)), counts):
        check("attend", q, k, v, cache, like=(q, *seen))


@reference("KVCache.append")
def everything(k, v):
    return k, v


@reference("attend")
def full_pass(q, k, v):
    """One new token after the other, each with the keys up to its own: no mask to get wrong."""
    n, total = q.shape[2], k.shape[2]
    rows = []
    for i in range(n):
        seen = total - n + i + 1
        scores = q[:, :, i : i + 1] @ k[:, :, :seen].transpose(2, 3) / math.sqrt(q.shape[3])
        rows.append(scores.softmax(-1) @ v[:, :, :seen])
    return torch.cat(rows, dim=2)


@mistake("KVCache.__init__")
def shares_state(self, keys=[], values=[]):  # noqa: B006
    self.keys, self.values = keys, values


@mistake(blank="append")
def keeps_last_chunk(self, k, v):
    self.keys, self.values = [k], [v]
    return k, v


@mistake(blank="append")
def never_stores(self, k, v):
    return torch.cat([*self.keys, k], dim=2), torch.cat([*self.values, v], dim=2)


@mistake(blank="append")
def puts_new_first(self, k, v):
    self.keys.insert(0, k)
    self.values.insert(0, v)
    return torch.cat(self.keys, dim=2), torch.cat(self.values, dim=2)


@mistake(blank="append")
def joins_heads(self, k, v):
    self.keys.append(k)
    self.values.append(v)
    return torch.cat(self.keys, dim=1), torch.cat(self.values, dim=1)


@mistake(blank="append")
def joins_sequences(self, k, v):
    self.keys.append(k)
    self.values.append(v)
    return torch.cat(self.keys), torch.cat(self.values)


@mistake(blank="append")
def stores_float32(self, k, v):
    self.keys.append(k.float())
    self.values.append(v.float())
    return torch.cat(self.keys, dim=2), torch.cat(self.values, dim=2)


@mistake(blank="append")
def joins_one_by_one(self, k, v):
    self.keys.append(k)
    self.values.append(v)
    keys, values = self.keys[0], self.values[0]
    for more_keys, more_values in zip(self.keys[1:], self.values[1:], strict=True):
        keys, values = torch.cat([keys, more_keys], dim=2), torch.cat([values, more_values], dim=2)
    return keys, values


@mistake(blank="length")
def counts_appends(self):
    return len(self.keys)


@mistake(blank="length")
def counts_last_chunk(self):
    return self.keys[-1].shape[2] if self.keys else 0


@mistake(blank="length")
def empty_has_no_length(self):
    return torch.cat(self.keys, dim=2).shape[2]


@mistake(blank="extend")
def ignores_cache(cache, k, v):
    cache.append(k, v)
    keys, values = k, v


@mistake("attend")
def appends_afterwards(q, k, v, cache):
    keys = torch.cat(cache.keys, dim=2) if len(cache) else k
    values = torch.cat(cache.values, dim=2) if len(cache) else v
    cache.append(k, v)
    n, total = q.shape[2], keys.shape[2]
    visible = torch.ones(n, total, dtype=torch.bool).tril(max(0, total - n))
    scores = q @ keys.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values


@mistake(blank="extend")
def forgets_to_append(cache, k, v):
    keys = torch.cat([*cache.keys, k], dim=2)
    values = torch.cat([*cache.values, v], dim=2)


@mistake(blank="visible")
def sees_the_future(q, keys):
    visible = torch.ones(q.shape[2], keys.shape[2], dtype=torch.bool)


@mistake(blank="visible")
def aligned_at_the_start(q, keys):
    visible = torch.ones(q.shape[2], keys.shape[2], dtype=torch.bool).tril()


@mistake(blank="visible")
def chunks_aligned_at_the_start(q, keys):
    visible = torch.ones(q.shape[2], keys.shape[2], dtype=torch.bool)
    if q.shape[2] > 1:
        visible = visible.tril()


@mistake("attend")
def mask_of_the_new_tokens(q, k, v, cache):
    keys, values = cache.append(k, v)
    scores, n = q @ keys.mT / math.sqrt(q.shape[-1]), q.shape[2]
    if n > 1:
        scores = scores + scores.new_full((n, n), -math.inf).triu(1)
    return scores.softmax(dim=-1) @ values


@mistake(blank="visible")
def mask_of_the_whole_text(q, keys):
    visible = torch.ones(keys.shape[2], keys.shape[2]).tril().bool()[-q.shape[2] :]


@mistake(blank="visible")
def not_itself(q, keys):
    visible = torch.ones(q.shape[2], keys.shape[2], dtype=torch.bool).tril(keys.shape[2] - q.shape[2] - 1)


@mistake(blank="visible")
def one_too_many(q, keys):
    visible = torch.ones(q.shape[2], keys.shape[2], dtype=torch.bool).tril(keys.shape[2] - q.shape[2] + 1)


@mistake("attend")
def computes_every_row(q, k, v, cache):
    keys, values = cache.append(k, v)
    padded = torch.zeros_like(keys)
    padded[:, :, -q.shape[2] :] = q
    position = torch.arange(keys.shape[2])
    scores = padded @ keys.mT / math.sqrt(q.shape[-1])
    rows = scores.masked_fill(position > position[:, None], -math.inf).softmax(dim=-1) @ values
    return rows[:, :, -q.shape[2] :]


@mistake(blank="attention")
def forgets_scale(q, keys, values, visible):
    scores = q @ keys.mT
    return scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values


@mistake(blank="attention")
def scales_in_place(q, keys, values, visible):
    q /= math.sqrt(q.shape[-1])
    return (q @ keys.mT).masked_fill(~visible, -math.inf).softmax(dim=-1) @ values


@mistake(blank="attention")
def float32_mask(q, keys, values, visible):
    scores = q @ keys.mT / math.sqrt(q.shape[-1]) + (~visible).float().masked_fill(~visible, -math.inf)
    return scores.softmax(dim=-1) @ values


@mistake(blank="attention")
def views_query(q, keys, values, visible):
    b, h, n, head_dim = q.shape
    scores = torch.bmm(q.view(b * h, n, head_dim), keys.flatten(0, 1).mT) / math.sqrt(head_dim)
    weights = scores.masked_fill(~visible, -math.inf).softmax(dim=-1)
    return torch.bmm(weights, values.flatten(0, 1)).view(b, h, n, head_dim)
