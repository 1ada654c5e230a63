"""Reads each token once, with the cache that the model offers, and takes the largest log-probability."""
import torch


def greedy_decode(model, ids, max_new, eos):
    cache, found, unread = model.new_cache(), [], ids[None]
    while len(found) < max_new and eos not in found:
        log_probs = torch.log_softmax(model(unread, cache=cache)[:, -1], dim=-1)
        unread = log_probs.argmax(dim=-1, keepdim=True)
        found.append(int(unread))
    return found
