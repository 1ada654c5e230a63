"""Makes twenty tokens at most, Hugging Face's usual max_length.

Verdict: failed
"""

import torch


def greedy_decode(model, ids, max_new, eos):
    new = []
    for _ in range(min(max_new, 20)):
        new.append(int(model(torch.cat([ids, ids.new_tensor(new)])[None])[0, -1].argmax()))
        if new[-1] == eos:
            break
    return new
