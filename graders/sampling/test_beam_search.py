import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

BOS, EOS = 0, 1

# What the tables are drawn from (a seed; max_len, vocab; what is added to the scores of eos), beam and alpha. The seeds
# are those whose comparisons rounding cannot turn, and that tell the mistakes apart.
CASES = {
    "some finish early, some late": (22, (6, 6), 0.0, 3, 0.6),
    "long texts are favoured": (37, (8, 8), 1.5, 2, 1.5),
    "a longer text overtakes": (63, (8, 8), 1.5, 2, 1.5),
    "a finished text beside live ones": (52, (8, 8), 1.5, 2, 1.5),
    "no length penalty": (147, (6, 6), 0.0, 3, 0.0),
    "a beam of one": (148, (5, 6), 0.0, 1, 0.6),
    "a beam of two": (25, (7, 5), 1.5, 2, 1.2),
    "a beam wider than the vocabulary": (114, (4, 3), 0.0, 7, 0.6),
    "a beam as wide as all texts": (124, (3, 4), 0.0, 64, 0.6),
    "eos is rare": (144, (5, 6), -3.0, 3, 0.6),
    "eos is impossible": (140, (3, 4), -torch.inf, 50, 0.6),
    "one step": (149, (1, 6), 0.0, 3, 0.6),
}


def tables(shape, shift, draw):
    """log_probs [max_len, vocab, vocab]; one in four of the tokens that are neither first nor eos is impossible."""
    max_len, vocab = shape
    scores = 1.5 * torch.randn(max_len, vocab, vocab, generator=draw)
    impossible = torch.rand(scores.shape, generator=draw) < 0.25
    impossible[..., :2] = False
    scores = scores.masked_fill(impossible, -torch.inf)
    scores[..., EOS] += shift
    return torch.log_softmax(scores, dim=-1)


def relabelled(log_probs):
    """The same tables with other names for the tokens; then bos and eos."""
    order = torch.randperm(log_probs.shape[-1])
    names = order.argsort()
    return log_probs[:, order][:, :, order].contiguous(), names[BOS].item(), names[EOS].item()


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    seed, shape, shift, beam, alpha = CASES[case]
    log_probs, bos, eos = relabelled(tables(shape, shift, torch.Generator().manual_seed(seed)))
    check("beam_search", log_probs, bos, eos, beam, alpha)


def test_alpha_by_default(check):
    seed, shape, shift, beam, _ = CASES["some finish early, some late"]
    check("beam_search", *relabelled(tables(shape, shift, torch.Generator().manual_seed(seed))), beam)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """The first text is long; the third search is of the second's sizes, both with more texts than can be looked at."""
    long, wide = (random.randint(16, 20), 12), (random.randint(8, 12), 40)
    for shape, shift in ((long, -3.0), (wide, 0.5), (wide, 0.5)):
        beam, alpha = random.randint(3, 6), random.uniform(0.6, 1.2)
        draws = [tables(shape, shift, torch.Generator().manual_seed(random.getrandbits(60))) for _ in range(8)]

        def clear(log_probs, beam=beam, alpha=alpha):
            ids, _, closest = search(log_probs, BOS, EOS, beam, alpha)
            return closest > 1e-4, len(ids)

        log_probs = max(draws, key=clear)
        check("beam_search", *relabelled(log_probs), beam, alpha, once=True)  # of other values, two may be too close


@reference("beam_search")
def definition(log_probs, bos, eos, beam, alpha=0.6):
    return search(log_probs, bos, eos, beam, alpha)[:2]


def search(log_probs, bos, eos, beam, alpha):
    """ids, score, and by how little a comparison was decided."""
    texts, totals = torch.zeros(1, 0, dtype=torch.int64), log_probs.new_zeros(1)
    done, closest = [], math.inf
    for step, table in enumerate(log_probs):
        last = texts[:, -1] if step else torch.tensor([bos])
        heirs = (totals[:, None] + table[last]).flatten()  # [live * vocab]
        order = heirs.argsort(descending=True)[: int((heirs > -torch.inf).sum())]
        if len(order) > beam:
            closest = min(closest, (heirs[order[beam - 1]] - heirs[order[beam]]).item())
        order = order[:beam]
        vocab = table.shape[-1]
        texts, totals = torch.cat([texts[order // vocab], (order % vocab)[:, None]], dim=1), heirs[order]
        ends = texts[:, -1] == eos
        done += [(text.tolist(), total) for text, total in zip(texts[ends], totals[ends], strict=True)]
        texts, totals = texts[~ends], totals[~ends]
        if not len(texts):
            break
    done = done or [(text.tolist(), total) for text, total in zip(texts, totals, strict=True)]
    scores = torch.stack([total / ((5 + len(text)) / 6) ** alpha for text, total in done])
    ranked = scores.sort(descending=True).values
    if len(ranked) > 1:
        closest = min(closest, (ranked[0] - ranked[1]).item())
    return done[int(scores.argmax())][0], scores.max().item(), closest


@mistake(blank="extend")
def forgets_the_past(table, live, bos):
    candidates = []
    for _, ids in live:
        row = table[ids[-1] if ids else bos].tolist()
        candidates += [(step, [*ids, token]) for token, step in enumerate(row) if step > -math.inf]


@mistake(blank="extend")
def adds_probabilities(table, live, bos):
    candidates = []
    for total, ids in live:
        row = table[ids[-1] if ids else bos].tolist()
        candidates += [(total + math.exp(step), [*ids, token]) for token, step in enumerate(row) if step > -math.inf]


@mistake(blank="extend")
def reads_columns(table, live, bos):
    candidates = []
    for total, ids in live:
        row = table[:, ids[-1] if ids else bos].tolist()
        candidates += [(total + step, [*ids, token]) for token, step in enumerate(row) if step > -math.inf]


@mistake(blank="extend")
def always_from_bos(table, live, bos):
    row = table[bos].tolist()
    candidates = [(t + step, [*ids, token]) for t, ids in live for token, step in enumerate(row) if step > -math.inf]


@mistake(blank="extend")
def first_table_only(log_probs, live, bos):
    candidates = []
    for total, ids in live:
        row = log_probs[0][ids[-1] if ids else bos].tolist()
        candidates += [(total + step, [*ids, token]) for token, step in enumerate(row) if step > -math.inf]


@mistake(blank="extend")
def takes_the_impossible(table, live, bos):
    candidates = []
    for total, ids in live:
        row = table[ids[-1] if ids else bos].tolist()
        candidates += [(total + step, [*ids, token]) for token, step in enumerate(row)]


@mistake(blank="prune")
def greedy(candidates):
    best = sorted(candidates, reverse=True)[:1]


@mistake(blank="prune")
def keeps_the_worst(candidates, beam):
    best = sorted(candidates)[:beam]


@mistake(blank="finish")
def refills_the_beam(finished, best, candidates, beam, eos):
    finished += [(total, ids) for total, ids in best if ids[-1] == eos]
    live = sorted([(total, ids) for total, ids in candidates if ids[-1] != eos], reverse=True)[:beam]


@mistake(blank="prune")
def shrinks_the_beam(candidates, beam, finished):
    best = sorted(candidates, reverse=True)[: max(beam - len(finished), 0)]


@mistake(blank="finish")
def finishes_without_a_place(finished, best, candidates, eos):
    finished += [(total, ids) for total, ids in candidates if ids[-1] == eos]
    live = [(total, ids) for total, ids in best if ids[-1] != eos]


@mistake(blank="finish")
def goes_on_after_eos(finished, best, eos):
    finished += [(total, ids) for total, ids in best if ids[-1] == eos]
    live = best


@mistake(blank="finish")
def stops_at_the_first(finished, best, eos):
    finished += [(total, ids) for total, ids in best if ids[-1] == eos]
    live = [(total, ids) for total, ids in best if ids[-1] != eos and not finished]


@mistake(blank="finish")
def stops_at_beam_finished(finished, best, eos, beam):
    finished += [(total, ids) for total, ids in best if ids[-1] == eos]
    live = [(total, ids) for total, ids in best if ids[-1] != eos and len(finished) < beam]


@mistake(blank="finish")
def stops_when_the_live_are_behind(finished, best, eos, alpha):
    finished += [(total, ids) for total, ids in best if ids[-1] == eos]
    live = [(total, ids) for total, ids in best if ids[-1] != eos]
    done, going = ([total / ((5 + len(ids)) / 6) ** alpha for total, ids in each] for each in (finished, live))
    if done and going and max(done) > max(going):
        live = []


@mistake("beam_search")
def finished_stay_in_the_beam(log_probs, bos, eos, beam, alpha=0.6):
    hypotheses = [(0.0, [])]
    for table in log_probs:
        candidates = [(total, ids) for total, ids in hypotheses if ids[-1:] == [eos]]
        for total, ids in hypotheses:
            row = [] if ids[-1:] == [eos] else table[ids[-1] if ids else bos].tolist()
            candidates += [(total + step, [*ids, token]) for token, step in enumerate(row) if step > -math.inf]
        hypotheses = sorted(candidates, reverse=True)[:beam]
    score, ids = max((total / ((5 + len(ids)) / 6) ** alpha, ids) for total, ids in hypotheses)
    return ids, score


@mistake("beam_search")
def prunes_by_score(log_probs, bos, eos, beam, alpha=0.6):
    hypotheses = [(0.0, 0.0, [])]
    for table in log_probs:
        candidates = [each for each in hypotheses if each[2][-1:] == [eos]]
        for _, total, ids in hypotheses:
            row = [] if ids[-1:] == [eos] else table[ids[-1] if ids else bos].tolist()
            heirs = [(total + step, [*ids, token]) for token, step in enumerate(row) if step > -math.inf]
            candidates += [(total / ((5 + len(ids)) / 6) ** alpha, total, ids) for total, ids in heirs]
        hypotheses = sorted(candidates, reverse=True)[:beam]
    score, _, ids = hypotheses[0]
    return ids, score


@mistake(blank="choose")
def forgets_length_penalty(finished, live):
    score, ids = max(finished or live)
    return ids, score


@mistake(blank="choose")
def chooses_by_total(finished, live, alpha):
    total, ids = max(finished or live)
    return ids, total / ((5 + len(ids)) / 6) ** alpha


@mistake(blank="choose")
def divides_by_length(finished, live, alpha):
    score, ids = max((total / len(ids) ** alpha, ids) for total, ids in finished or live)
    return ids, score


@mistake(blank="choose")
def counts_bos(finished, live, alpha):
    score, ids = max((total / ((6 + len(ids)) / 6) ** alpha, ids) for total, ids in finished or live)
    return ids, score


@mistake(blank="choose")
def leaves_out_eos(finished, live, alpha, eos):
    scored = [(total / ((5 + len(ids) - (ids[-1] == eos)) / 6) ** alpha, ids) for total, ids in finished or live]
    score, ids = max(scored)
    return ids, score


@mistake(blank="choose")
def live_compete(finished, live, alpha):
    score, ids = max((total / ((5 + len(ids)) / 6) ** alpha, ids) for total, ids in finished + live)
    return ids, score


@mistake(blank="choose")
def fails_without_a_finished(finished, alpha):
    score, ids = max((total / ((5 + len(ids)) / 6) ** alpha, ids) for total, ids in finished)
    return ids, score


@mistake(blank="choose")
def returns_bos(finished, live, alpha, bos):
    score, ids = max((total / ((5 + len(ids)) / 6) ** alpha, ids) for total, ids in finished or live)
    return [bos, *ids], score
