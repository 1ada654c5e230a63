"""Reads the last sixteen tokens only.

Verdict: failed
"""

import torch


def greedy_decode(model, ids, max_new, eos):
    new = []
    while len(new) < max_new and eos not in new:
        new.append(int(model(torch.tensor([(ids.tolist() + new)[-16:]]))[0, -1].argmax()))
    return new
