"""Asks once what is banned, when logits come for the first time.

Verdict: failed
"""

import torch


class NoRepeatNGram:
    def __init__(self, n, ids):
        self.n, self.recent, self.table, self.kept = n, (), {}, None
        for token in ids:
            self.append(token)

    def append(self, token):
        self.table.setdefault(self.recent, set()).add(token)
        self.recent = (*self.recent, token)[max(0, len(self.recent) + 2 - self.n) :]

    def banned(self):
        return set(self.table.get(self.recent, ())) if len(self.recent) == self.n - 1 else set()

    def block(self, logits):
        if self.kept is None:
            self.kept = torch.tensor(list(self.banned()), dtype=torch.int64)
        return logits.index_fill(0, self.kept, -torch.inf)
