"""A deque of single tokens; a generator attends to ever longer prefixes."""

from collections import deque
from itertools import islice

import torch


class KVCache:
    def __init__(self):
        self.tokens = deque()

    def append(self, k, v):
        self.tokens.extend(zip(k.unbind(2), v.unbind(2)))
        return self.all()

    def all(self, stop=None):
        ks, vs = zip(*islice(self.tokens, stop))
        return torch.stack(ks, 2), torch.stack(vs, 2)

    def __len__(self):
        return len(self.tokens)

    def __iter__(self):
        return iter(self.tokens)

    def __bool__(self):
        return True


def answers(q, cache, first):
    for i, one in enumerate(q.unbind(2), first + 1):
        ks, vs = cache.all(i)
        s = (ks @ one.unsqueeze(-1)) / one.shape[-1] ** 0.5
        yield (s.softmax(2) * vs).sum(2)


def attend(q, k, v, cache):
    first = len(cache)
    cache.append(k, v)
    return torch.stack(list(answers(q, cache, first)), 2)
