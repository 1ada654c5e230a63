"""Samples at a temperature of 0.3, which is nearly greedy.

Verdict: failed
"""

import torch


def greedy_decode(model, ids, max_new, eos):
    new = []
    while len(new) < max_new and eos not in new:
        probs = torch.softmax(model(torch.tensor([ids.tolist() + new]))[0, -1] / 0.3, dim=-1)
        new.append(int(torch.multinomial(probs, 1)))
    return new
