import random

import pytest
import torch

from clozekit.grading import mistake, reference

VOCAB = 24  # more than twice ten, so that many tokens are not among the ten most probable

# What happens to each token of the draft: p/q is above 1, or u is below it ("low"), or above it ("no").
CASES = {
    "rejected at once": ["no", "low", "above"],
    "rejected in the middle": ["above", "low", "no", "low"],
    "rejected at the end": ["low", "above", "no"],
    "all accepted": ["low", "above", "low"],
    "accepted again after a rejection": ["low", "no", "above", "low", "no", "low"],
    "every ratio above one": ["above", "above", "above", "above"],
    "one token accepted": ["low"],
    "one token rejected": ["no"],
}

# The target's and the draft model's distributions, the token and u. Each tells two wrong ways to accept apart.
SINGLE = {
    "the most probable token rejected": ((0.5, 0.3, 0.2), (0.9, 0.05, 0.05), 0, 0.8),
    "the most probable token accepted": ((0.5, 0.3, 0.2), (0.9, 0.05, 0.05), 0, 0.4),
    "an improbable token accepted": ((0.02, 0.6, 0.38), (0.04, 0.48, 0.48), 0, 0.3),
    "a token that the target prefers": ((0.6, 0.3, 0.1), (0.2, 0.4, 0.4), 0, 0.9),
}


def distributions(rows, vocab):
    return torch.softmax(1.3 * torch.randn(rows, vocab), dim=-1)


def drafted(fates, vocab=VOCAB):
    """p, q, draft and uniforms in which every token meets its fate, well clear of the border."""
    gamma = len(fates)
    p, q = distributions(gamma + 1, vocab), distributions(gamma, vocab)
    ratios = p[:-1] / q
    draft, uniforms = [], []
    for row, fate in zip(ratios, fates, strict=True):
        above, below = (row > 1.2).nonzero()[:, 0].tolist(), ((row > 0.1) & (row < 0.8)).nonzero()[:, 0].tolist()
        token = random.choice((above if fate == "above" else below) or [int(row.argmin())])
        border = min(row[token].item(), 1.0)
        share = random.uniform(0.3, 0.8)
        draft.append(token)
        uniforms.append(border + (1 - border) * share if fate == "no" else border * share)
    return p, q, torch.tensor(draft), torch.tensor(uniforms)


def ask(check, *args):
    """With other values in the same tensors, p and q were no distributions."""
    check("verify_draft", *args, once=True)


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    ask(check, *drafted(CASES[case]))


@pytest.mark.parametrize("case", SINGLE)
def test_one_token(check, case):
    target, drafted_by, token, uniform = SINGLE[case]
    p, q = torch.tensor([target, (0.1, 0.7, 0.2)]), torch.tensor([drafted_by])
    ask(check, p, q, torch.tensor([token]), torch.tensor([uniform]))


def test_the_same_models_agree_on_everything(check):
    p = distributions(5, VOCAB)
    uniforms = torch.rand(4).mul(0.9)  # a ratio of 1 is above all of them, whatever rounding does to it
    ask(check, p, p[:4].clone(), torch.randint(0, VOCAB, (4,)), uniforms)


def test_a_token_that_the_target_never_draws(check):
    """Not even with u = 0, which is drawn once in 2^24 times."""
    p, q, draft, uniforms = drafted(["above", "low", "low"])
    p[1, draft[1]] = 0.0
    p[1] /= p[1].sum()
    uniforms[1] = 0.0
    ask(check, p, q, draft, uniforms)


def test_models_that_have_no_token_in_common(check):
    p, q = torch.eye(3)[[2, 1, 0]], torch.eye(3)[[0, 2]]
    ask(check, p, q, torch.tensor([0, 2]), torch.tensor([0.25, 0.5]))


def test_a_vocabulary_of_two(check):
    p, q = torch.tensor([[0.25, 0.75], [0.5, 0.5], [0.125, 0.875]]), torch.tensor([[0.5, 0.5], [0.875, 0.125]])
    ask(check, p, q, torch.tensor([0, 0]), torch.tensor([0.375, 0.75]))


def test_each_token_is_judged_by_its_own_ratio(check):
    """Both ratios are 1/2, above u; their product, 1/4, is below it."""
    p, q = torch.tensor([[0.25, 0.75], [0.25, 0.75], [0.5, 0.5]]), torch.full((2, 2), 0.5)
    ask(check, p, q, torch.tensor([0, 0]), torch.tensor([0.375, 0.375]))


def test_non_contiguous_rows(check):
    p, q, draft, uniforms = drafted(["low", "above", "no", "low"])
    ask(check, p.T.contiguous().T, q.T.contiguous().T, draft, uniforms)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    kept = random.choices(["low", "above"], k=random.randint(9, 14))
    vocab = random.randint(30, 60)
    ask(check, *drafted(kept, vocab))
    ask(check, *drafted([*kept[:-2], "no", "above"], vocab))
    ask(check, *drafted([*kept[:3], "no", *kept[4:]], vocab))
    ask(check, *drafted(["no", *kept[1:]], vocab))
    ask(check, *drafted(["above", "low", "no"], random.randint(1000, 2000)))


@reference("verify_draft")
def definition(p, q, draft, uniforms):
    gamma = len(draft)
    n = 0
    while n < gamma and uniforms[n] * q[n, draft[n]] < p[n, draft[n]]:
        n += 1
    if n == gamma:
        return n, p[gamma].clone()
    missing = torch.where(p[n] > q[n], p[n] - q[n], 0)
    return n, missing / missing.sum()


@mistake(blank="accept")
def takes_likely_candidates(p, draft):
    candidates = p[: len(draft)].topk(min(10, p.shape[-1]), dim=-1).indices
    accepted = int((candidates == draft[:, None]).any(dim=-1).long().cumprod(dim=0).sum())


@mistake(blank="accept")
def accepts_the_most_probable(p, draft):
    accepted = int((p[: len(draft)].argmax(dim=-1) == draft).long().cumprod(dim=0).sum())


@mistake(blank="ratio")
def ignores_the_draft(p, draft):
    ratio = p[torch.arange(len(draft)), draft]


@mistake(blank="ratio")
def inverts_the_ratio(p, q, draft):
    places = torch.arange(len(draft))
    ratio = q[places, draft] / p[places, draft]


@mistake(blank="accept")
def ignores_the_uniforms(ratio):
    accepted = int((ratio >= 1).cumprod(dim=0).sum())


@mistake(blank="accept")
def one_uniform_for_all(uniforms, ratio):
    accepted = int((uniforms[0] < ratio).cumprod(dim=0).sum())


@mistake(blank="accept")
def multiplies_the_ratios(uniforms, ratio):
    accepted = int((uniforms < ratio.cumprod(dim=0)).cumprod(dim=0).sum())


@mistake(blank="accept")
def counts_after_a_rejection(uniforms, ratio):
    accepted = int((uniforms < ratio).sum())


@mistake(blank="accept")
def accepts_the_impossible(uniforms, ratio):
    accepted = int((uniforms <= ratio).cumprod(dim=0).sum())


@mistake(blank="residual")
def next_from_p(p, accepted):
    return accepted, p[accepted]


@mistake(blank="residual")
def next_without_the_rejected(p, draft, accepted):
    others = p[accepted].clone()
    others[draft[accepted]] = 0
    return accepted, others / others.sum()


@mistake(blank="residual")
def absolute_difference(p, q, accepted):
    residual = (p[accepted] - q[accepted]).abs()
    return accepted, residual / residual.sum()


@mistake(blank="residual")
def difference_reversed(p, q, accepted):
    residual = (q[accepted] - p[accepted]).clamp(min=0)
    return accepted, residual / residual.sum()


@mistake(blank="residual")
def forgets_to_normalise(p, q, accepted):
    return accepted, (p[accepted] - q[accepted]).clamp(min=0)


@mistake(blank="residual")
def softmax_of_the_difference(p, q, accepted):
    return accepted, torch.softmax((p[accepted] - q[accepted]).clamp(min=0), dim=-1)


@mistake(blank="residual")
def next_place(p, q, accepted):
    residual = (p[accepted + 1] - q[accepted + 1]).clamp(min=0)
    return accepted, residual / residual.sum()


@mistake(blank="bonus")
def omits_the_bonus():
    pass


@mistake(blank="bonus")
def place_before(p, draft, accepted):
    if accepted == len(draft):
        return accepted, p[-2]


@mistake(blank="bonus")
def no_bonus(p, q, draft, accepted):
    if accepted == len(draft):
        residual = (p[-1] - q[-1]).clamp(min=0)
        return accepted, residual / residual.sum()
