"""A defaultdict of sets, the last tokens kept as a list that is cut; the vocabulary masked by a boolean tensor."""
from collections import defaultdict

import torch


class NoRepeatNGram:
    def __init__(self, n, ids):
        self.n, self.tail = n, []
        self.generated = defaultdict(set)
        for token in ids:
            self.append(token)

    def append(self, token):
        self.tail.append(token)
        if len(self.tail) < self.n:
            return
        *start, last = self.tail[-self.n :]
        self.generated[tuple(start)].add(last)
        del self.tail[: -self.n]

    def banned(self):
        start = tuple(self.tail[1:]) if len(self.tail) == self.n else tuple(self.tail)
        if len(start) < self.n - 1:
            return set()
        return self.generated.get(start, set()).copy()

    def block(self, logits):
        mask = torch.zeros(logits.shape, dtype=torch.bool)
        for token in self.banned():
            mask[token] = True
        return logits.masked_fill(mask, float("-inf"))
