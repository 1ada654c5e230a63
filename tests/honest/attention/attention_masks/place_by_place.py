"""Python loops over every place of the mask; exponentials by hand with a safe maximum and a safe sum."""

import torch


def make_mask(lengths, t_q, t_k, causal, offset=0):
    def sees(length, i, j):
        return j < length and (j <= offset + i or not causal)

    return torch.tensor(
        [[[[sees(n, i, j) for j in range(t_k)] for i in range(t_q)]] for n in lengths.tolist()],
        dtype=torch.bool,
    )


def masked_softmax(scores, mask):
    blocked = scores.masked_fill(mask.logical_not(), float("-inf"))
    largest = blocked.amax(dim=-1, keepdim=True)
    largest = torch.where(largest == float("-inf"), torch.zeros_like(largest), largest).detach()
    e = torch.exp(blocked - largest)
    total = e.sum(dim=-1, keepdim=True)
    return e / torch.where(total == 0, torch.ones_like(total), total)
