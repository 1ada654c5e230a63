"""Crops the text to the last 64 tokens, as a model with a shorter context would have it.

Verdict: failed
"""

import torch


def greedy_decode(model, ids, max_new, eos):
    new = []
    for _ in range(max_new):
        text = torch.cat([ids, ids.new_tensor(new)])[-64:]
        new.append(int(model(text[None])[0, -1].argmax()))
        if new[-1] == eos:
            break
    return new
