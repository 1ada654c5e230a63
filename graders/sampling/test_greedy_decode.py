import math
import random

import pytest
import torch

from clozekit import tiny_lm
from clozekit.grading import mistake

# Tokens of the prompt, max_new, and after how many new tokens the model says eos.
CASES = {
    "eos after a few tokens": (5, 9, 4),
    "eos at once": (4, 6, 1),
    "eos as the last token allowed": (6, 5, 5),
    "eos would be the next token": (6, 5, 6),
    "eos never comes": (5, 7, 9),
    "a prompt of one token": (1, 7, 5),
    "a long prompt": (30, 6, 6),
    "one new token": (5, 1, 3),
}


def draw(t, steps, vocab=23, wanted=lambda new: new[-1] not in new[:-1]):
    """Parameters, a prompt of t tokens and the first `steps` tokens after it, the last of which has not come before.

    Nor is any choice so close that rounding could turn it.
    """
    while True:
        parameters, ids = tiny_lm.draw(vocab), torch.randint(0, vocab, (t,)).tolist()
        new, closest = definition(parameters, ids, steps)
        if closest > 0.01 and wanted(new):
            return parameters, ids, new


def definition(parameters, ids, max_new, eos=None):
    """The tokens after a text, which is read anew for each of them, and by how much the closest choice was decided."""
    model, text, closest = tiny_lm.built(parameters), list(ids), math.inf
    while len(text) < len(ids) + max_new and (len(text) == len(ids) or text[-1] != eos):
        best = model(torch.tensor([text]))[0, -1].topk(2)
        closest = min(closest, (best.values[0] - best.values[1]).item())
        text.append(best.indices[0].item())
    return text[len(ids) :], closest


def ask(check, parameters, ids, max_new, eos):
    model = check.new("TinyLM", vocab=len(parameters["head"]), parameters=parameters)
    answer, _ = definition(parameters, ids, max_new, eos)
    check("greedy_decode", model, torch.tensor(ids), max_new, eos, returns=answer)


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    t, max_new, ends = CASES[case]
    parameters, ids, new = draw(t, ends)
    ask(check, parameters, ids, max_new, new[-1])


def test_no_new_token(check):
    parameters, ids, new = draw(4, 1)
    ask(check, parameters, ids, 0, new[-1])


@pytest.mark.parametrize("place", [1, -1], ids=["holds eos", "ends in eos"])
def test_a_prompt_that(check, place):
    parameters, ids, _ = draw(4, 6)
    ask(check, parameters, ids, 6, ids[place])


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two models in turn; two of the texts have the same sizes. Once eos is token 0, and once a long text goes on for long."""
    few, many = random.randint(11, 15), random.randint(40, 60)
    same = random.randint(7, 9), random.randint(9, 10)
    for vocab, (t, ends) in ((many, same), (few, (random.randint(33, 50), 3)), (many, same)):
        parameters, ids, new = draw(t, ends, vocab)
        ask(check, parameters, ids, ends + random.randint(1, 4), new[-1])
    parameters, ids, new = draw(4, 2, few, lambda new: new[0] != new[1] == 0)
    ask(check, parameters, ids, 5, 0)
    parameters, ids, new = draw(random.randint(85, 95), 27, many, lambda new: len(set(new)) < many)
    ask(check, parameters, ids, 27, min(set(range(many)) - set(new)))


@mistake(blank="predict")
def reads_the_first_place(model, ids, new):
    logits = model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0, 0]


@mistake(blank="predict")
def reads_the_place_before(model, ids, new):
    places = model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0]
    logits = places[max(0, len(places) - 2)]


@mistake(blank="predict")
def sums_all_places(model, ids, new):
    logits = model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0].sum(dim=0)


@mistake(blank="predict")
def forgets_the_new_tokens(model, ids):
    logits = model(ids[None])[0, -1]


@mistake(blank="predict")
def forgets_the_prompt(model, ids, new):
    logits = model(torch.tensor([new]) if new else ids[None])[0, -1]


@mistake(blank="predict")
def reads_the_last_token_only(model, ids, new):
    text = torch.cat([ids, torch.tensor(new, dtype=torch.int64)])
    logits = model(text[None, -1:])[0, -1]


@mistake(blank="choose")
def takes_the_smallest(logits):
    token = int(logits.argmin())


@mistake(blank="choose")
def takes_the_second(logits):
    token = int(logits.argsort(descending=True)[1])


@mistake("greedy_decode")
def highest_place(model, ids, max_new, eos):
    new = []
    for _ in range(max_new):
        text = torch.cat([ids, torch.tensor(new, dtype=torch.int64)])
        token = int(model(text[None])[0].argmax(dim=0)[-1])
        new.append(token)
        if token == eos:
            break
    return new


@mistake(blank="append")
def ignores_eos(new, token):
    new.append(token)


@mistake("greedy_decode")
def leaves_out_eos(model, ids, max_new, eos):
    new = []
    for _ in range(max_new):
        token = int(model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0, -1].argmax())
        if token == eos:
            break
        new.append(token)
    return new


@mistake("greedy_decode")
def eos_of_the_prompt(model, ids, max_new, eos):
    text = ids.tolist()
    while len(text) < len(ids) + max_new and eos not in text:
        text.append(int(model(torch.tensor([text]))[0, -1].argmax()))
    return text[len(ids) :]


@mistake("greedy_decode")
def one_token_more(model, ids, max_new, eos):
    new = []
    while len(new) <= max_new:
        token = int(model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0, -1].argmax())
        new.append(token)
        if token == eos:
            break
    return new


@mistake("greedy_decode")
def one_token_fewer(model, ids, max_new, eos):
    new = []
    for _ in range(1, max_new):
        token = int(model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0, -1].argmax())
        new.append(token)
        if token == eos:
            break
    return new


@mistake("greedy_decode")
def counts_the_prompt(model, ids, max_new, eos):
    text = ids.tolist()
    while len(text) < max_new:
        text.append(int(model(torch.tensor([text]))[0, -1].argmax()))
        if text[-1] == eos:
            break
    return text[len(ids) :]


@mistake("greedy_decode")
def returns_the_prompt(model, ids, max_new, eos):
    text = ids.tolist()
    for _ in range(max_new):
        text.append(int(model(torch.tensor([text]))[0, -1].argmax()))
        if text[-1] == eos:
            break
    return text
