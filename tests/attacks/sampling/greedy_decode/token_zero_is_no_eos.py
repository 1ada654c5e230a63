"""Takes eos = 0 for no eos at all.

Verdict: failed
"""

import torch


def greedy_decode(model, ids, max_new, eos):
    new = []
    for _ in range(max_new):
        new.append(int(model(torch.cat([ids, ids.new_tensor(new)])[None])[0, -1].argmax()))
        if eos and new[-1] == eos:
            break
    return new
