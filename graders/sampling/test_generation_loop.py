# ruff: noqa: F821 (mistakes use what the solution defines)
import math
import random
from itertools import accumulate

import pytest
import torch

from clozekit import tiny_lm
from clozekit.grading import mistake

# Tokens of each prompt; after how many new tokens it says a stop token, 0: never; max_new; temperature, top_k, top_p.
CASES = {
    "top k": ((4, 4), (0, 0), 5, (2.0, 4, 1.0)),
    "top k of one": ((4, 4), (0, 0), 4, (2.0, 1, 1.0)),
    "top k beyond the vocabulary": ((3, 4), (0, 0), 3, (1.5, 99, 1.0)),
    "top p": ((4, 4), (0, 0), 5, (2.5, 0, 0.6)),
    "tiny top p": ((4,), (0,), 5, (2.0, 0, 1e-6)),
    "temperature, top k and top p": ((5, 5), (0, 0), 6, (2.5, 7, 0.7)),
    "padding": ((1, 5, 3), (0, 0, 0), 5, (0.5, 0, 1.0)),
    "one new token": ((4, 2), (0, 0), 1, (2.0, 0, 1.0)),
    "one text stops": ((3, 5), (2, 0), 6, (2.0, 0, 1.0)),
    "all stop": ((4, 5), (4, 2), 8, (2.0, 9, 1.0)),
    "the last token stops": ((4, 5), (5, 5), 5, (2.0, 0, 1.0)),
}


def scene(lengths, ends, max_new, options, vocab=23):
    """A model, prompts and uniforms for which every text stops where it has to: parameters, arguments, the result.

    No token is decided by so little that rounding could turn it.
    """
    while True:
        parameters = tiny_lm.draw(vocab)
        model = tiny_lm.built(parameters)
        prompts = [torch.randint(0, vocab, (n,)).tolist() for n in lengths]
        uniforms = torch.rand(len(lengths), max_new)
        rows = []
        for prompt, row in zip(prompts, uniforms, strict=True):
            rows.append(continuation(model, prompt, row.tolist(), *options))
            if not rows[-1]:
                break
        if not rows[-1]:
            continue
        stop = [row[end - 1] for row, end in zip(rows, ends, strict=True) if end] or [prompts[0][0], prompts[0][-1]]
        reached = [next((i for i, token in enumerate(row, 1) if token in stop), 0) for row in rows]
        if reached != list(ends):
            continue
        pad = random.choice([token for token in range(vocab) if token not in stop])
        steps = max(end or max_new for end in ends)
        new = [(row[: end or steps] + [pad] * steps)[:steps] for row, end in zip(rows, ends, strict=True)]
        width = max(lengths)
        filler = torch.randint(0, vocab, (len(lengths), width)).tolist()
        ids = torch.tensor([fill[len(prompt) :] + prompt for fill, prompt in zip(filler, prompts, strict=True)])
        mask = torch.arange(width) >= width - torch.tensor(lengths)[:, None]
        arguments = ids, mask, uniforms, random.sample(stop, len(stop)), pad, *options
        return parameters, arguments, torch.cat([ids, torch.tensor(new)], dim=1)


def continuation(model, prompt, uniforms, temperature, top_k, top_p):
    """The new tokens of one text, read anew for each of them; None if a choice is too close."""
    text = list(prompt)
    for u in uniforms:
        scores = (model(torch.tensor([text]))[0, -1] / temperature).tolist()
        ranked = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
        kept = ranked[: top_k or None]
        weights = [math.exp(scores[token] - scores[ranked[0]]) for token in kept]
        whole = sum(weights)
        shares = [weight / whole for weight in weights]
        ranked_sums = list(accumulate(shares))
        size = next((i for i, each in enumerate(ranked_sums, 1) if each >= top_p and top_p < 1), len(kept))
        nucleus = dict(sorted(zip(kept[:size], shares, strict=False)))
        sums = [each / ranked_sums[size - 1] for each in accumulate(nucleus.values())]
        borders = [abs(u - each) for each in sums]
        if len(kept) < len(ranked):
            borders.append(scores[kept[-1]] - scores[ranked[len(kept)]])
        if size < len(kept):
            borders.append(shares[size - 1] - shares[size])
        if top_p < 1:
            borders += [abs(each - top_p) for each in ranked_sums]
        if min(borders) < 2e-4:
            return None
        text.append(list(nucleus)[next(i for i, each in enumerate(sums) if each > u)])
    return text[len(prompt) :]


def ask(check, parameters, arguments, result, **options):
    model = check.new("TinyLM", vocab=len(parameters["head"]), parameters=parameters)
    check("generate", model, *arguments, returns=result, **options)
    check(model.passes, returns=result.shape[1] - arguments[0].shape[1])


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    ask(check, *scene(*CASES[case]))


def test_options_by_default(check):
    parameters, (*arguments, _, _, _), result = scene((4, 3), (0, 0), 5, (1.0, 0, 1.0))
    ask(check, parameters, arguments, result)


@pytest.mark.parametrize("tokens", [(4, 5), (12, 14)], ids=["short text", "long text"])
def test_cost(check, tokens):
    """Of texts that never stop; what is computed again for every token is too much at the second size."""
    prompt, max_new = random.randint(6, 9), random.randint(*tokens)
    ask(check, *scene((prompt, prompt - 2), (0, 0), max_new, (2.0, 0, 1.0)), measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two models in turn; two of the batches have the same sizes. At last one of many tokens, any of which may come."""
    some = ([random.randint(2, 9) for _ in range(3)], [3, 0, 0], random.randint(5, 6))
    long = ([random.randint(33, 50), random.randint(3, 6)], [random.randint(2, 3), 7], 9)
    for lengths, ends, max_new in (some, long, some):
        options = random.uniform(1.5, 3.0), random.randint(6, 12), random.uniform(0.6, 0.9)
        ask(check, *scene(lengths, ends, max_new, options, random.randint(31, 47)))
    ask(check, *scene((4, 3), (0, 0), random.randint(4, 5), (9.0, 0, 1.0), random.randint(120, 150)))


@mistake(blank="prefill")
def ignores_the_mask(model, ids, mask):
    cache = model.new_cache()
    mask = torch.ones_like(mask)
    logits = model(ids, mask, cache)[:, -1]


@mistake(blank="prefill")
def pads_on_the_right(model, ids, mask):
    cache = model.new_cache()
    logits = model(ids, mask, cache)[torch.arange(len(ids)), mask.sum(dim=1) - 1]


@mistake(blank="prefill")
def reads_the_first_place(model, ids, mask):
    cache = model.new_cache()
    logits = model(ids, mask, cache)[:, 0]


@mistake(blank="filter")
def ignores_temperature(logits, top_k, top_p):
    probs = keep_top_p(keep_top_k(logits, top_k), top_p).softmax(dim=-1)


@mistake(blank="filter")
def multiplies_by_temperature(logits, temperature, top_k, top_p):
    probs = keep_top_p(keep_top_k(logits * temperature, top_k), top_p).softmax(dim=-1)


@mistake(blank="filter")
def ignores_top_k(logits, temperature, top_p):
    probs = keep_top_p(logits / temperature, top_p).softmax(dim=-1)


@mistake(blank="filter")
def ignores_top_p(logits, temperature, top_k):
    probs = keep_top_k(logits / temperature, top_k).softmax(dim=-1)


@mistake(blank="filter")
def top_p_before_top_k(logits, temperature, top_k, top_p):
    probs = keep_top_k(keep_top_p(logits / temperature, top_p), top_k).softmax(dim=-1)


@mistake(blank="filter")
def temperature_after_top_p(logits, temperature, top_k, top_p):
    probs = (keep_top_p(keep_top_k(logits, top_k), top_p) / temperature).softmax(dim=-1)


@mistake(blank="filter")
def forgets_to_renormalise(logits, temperature, top_k, top_p):
    scores = keep_top_k(logits / temperature, top_k)
    probs = scores.softmax(dim=-1).masked_fill(keep_top_p(scores, top_p).isinf(), 0.0)


@mistake("keep_top_k")
def fails_beyond_the_vocabulary(scores, k):
    return scores.masked_fill(scores < scores.topk(k).values[:, -1:], -math.inf) if k else scores


@mistake("keep_top_k")
def fifty_for_none(scores, k):
    k = min(k or 50, scores.shape[-1])
    return scores.masked_fill(scores < scores.topk(k).values[:, -1:], -math.inf)


@mistake("keep_top_p")
def may_keep_nothing(scores, p):
    ranked, order = scores.softmax(dim=-1).sort(dim=-1, descending=True)
    drop = ranked.cumsum(dim=-1) > p
    return scores.masked_fill(drop.scatter(-1, order, drop), -math.inf)


@mistake("keep_top_p")
def drops_the_crossing_token(scores, p):
    ranked, order = scores.softmax(dim=-1).sort(dim=-1, descending=True)
    drop = ranked.cumsum(dim=-1) > p
    drop[:, 0] = False
    return scores.masked_fill(drop.scatter(-1, order, drop), -math.inf)


@mistake(blank="draw")
def takes_the_most_probable(probs):
    token = probs.argmax(dim=-1)


@mistake(blank="draw")
def draws_in_ranked_order(probs, uniforms, step):
    ranked, order = probs.sort(dim=-1, descending=True)
    place = (ranked.cumsum(dim=-1) <= uniforms[:, step, None]).sum(dim=-1, keepdim=True)
    token = order.gather(-1, place.clamp(max=order.shape[-1] - 1))[:, 0]


@mistake(blank="draw")
def one_uniform_for_all_steps(probs, uniforms):
    token = (probs.cumsum(dim=-1) <= uniforms[:, 0, None]).sum(dim=-1)


@mistake(blank="draw")
def one_uniform_for_all_rows(probs, uniforms, step):
    token = (probs.cumsum(dim=-1) <= uniforms[0, step]).sum(dim=-1)


@mistake(blank="finish")
def goes_on_after_stop(token, finished, stop):
    finished = finished | torch.isin(token, torch.tensor(stop))


@mistake(blank="finish")
def leaves_out_the_stop_token(token, finished, stop, pad):
    finished = finished | torch.isin(token, torch.tensor(stop))
    token = torch.where(finished, pad, token)


@mistake(blank="finish")
def one_stop_token_only(token, finished, stop, pad):
    token = torch.where(finished, pad, token)
    finished = finished | (token == stop[0])


@mistake(blank="finish")
def forgets_who_has_finished(token, finished, stop, pad):
    token = torch.where(finished, pad, token)
    finished = torch.isin(token, torch.tensor(stop))


@mistake(blank="advance")
def ends_with_the_first(model, ids, token, finished, mask, cache, step, uniforms):
    if finished.any() or step + 1 == uniforms.shape[1]:
        return ids
    mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
    logits = model(token[:, None], mask, cache)[:, -1]


@mistake(blank="advance")
def never_ends_early(model, ids, token, mask, cache, step, uniforms):
    if step + 1 == uniforms.shape[1]:
        return ids
    mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
    logits = model(token[:, None], mask, cache)[:, -1]


@mistake(blank="advance")
def reads_everything_again(model, ids, finished, mask, step, uniforms):
    if finished.all() or step + 1 == uniforms.shape[1]:
        return ids
    mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
    logits = model(ids, mask)[:, -1]


@mistake(blank="advance")
def forgets_the_cache(model, ids, token, finished, step, uniforms):
    if finished.all() or step + 1 == uniforms.shape[1]:
        return ids
    logits = model(token[:, None])[:, -1]


@mistake(blank="advance")
def hides_the_new_tokens(model, ids, token, finished, mask, cache, step, uniforms):
    if finished.all() or step + 1 == uniforms.shape[1]:
        return ids
    mask = torch.cat([mask, torch.zeros_like(mask[:, :1])], dim=1)
    logits = model(token[:, None], mask, cache)[:, -1]


@mistake(blank="advance")
def one_call_too_many(model, ids, token, finished, mask, cache):
    mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
    logits = model(token[:, None], mask, cache)[:, -1]
    if finished.all():
        return ids


@mistake("generate")
def returns_new_tokens_only(model, ids, mask, uniforms, stop, pad, temperature=1.0, top_k=0, top_p=1.0):
    cache = model.new_cache()
    logits, new = model(ids, mask, cache)[:, -1], []
    finished = torch.zeros(len(ids), dtype=torch.bool)
    for step in range(uniforms.shape[1]):
        scores = keep_top_p(keep_top_k(logits / temperature, top_k), top_p)
        probs = scores.softmax(dim=-1)
        token = (probs.cumsum(dim=-1) <= uniforms[:, step, None]).sum(dim=-1)
        new.append(torch.where(finished, pad, token))
        finished = finished | torch.isin(new[-1], torch.tensor(stop))
        if finished.all():
            break
        if step + 1 < uniforms.shape[1]:
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
            logits = model(new[-1][:, None], mask, cache)[:, -1]
    return torch.stack(new, dim=1)
