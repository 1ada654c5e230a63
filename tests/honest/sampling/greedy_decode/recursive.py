"""A recursion: one token, then the rest."""
import torch


def greedy_decode(model, ids, max_new, eos):
    if max_new == 0:
        return []
    token = model(ids.unsqueeze(0))[0, -1].topk(1).indices
    if token.item() == eos:
        return [eos]
    return [token.item(), *greedy_decode(model, torch.cat((ids, token)), max_new - 1, eos)]
