"""Keeps one index for all objects with the same n.

Verdict: failed
"""

import torch

tables = {}


class NoRepeatNGram:
    def __init__(self, n, ids):
        self.n, self.recent = n, ()
        self.table = tables.setdefault(n, {})
        for token in ids:
            self.append(token)

    def append(self, token):
        self.table.setdefault(self.recent, set()).add(token)
        self.recent = (*self.recent, token)[max(0, len(self.recent) + 2 - self.n) :]

    def banned(self):
        return set(self.table.get(self.recent, ())) if len(self.recent) == self.n - 1 else set()

    def block(self, logits):
        return logits.index_fill(0, torch.tensor(list(self.banned()), dtype=torch.int64), -torch.inf)
