"""Never makes more than eight tokens.

Verdict: failed
"""

import torch


def greedy_decode(model, ids, max_new, eos):
    new = []
    while len(new) < min(max_new, 8) and eos not in new:
        new.append(int(model(torch.tensor([ids.tolist() + new]))[0, -1].argmax()))
    return new
