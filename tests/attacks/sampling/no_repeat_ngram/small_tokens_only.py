"""Packs a beginning into one number with sixteen bits for each token, of which large ones overlap after four.

Verdict: failed
"""

import torch


class NoRepeatNGram:
    def __init__(self, n, ids):
        self.n, self.count, self.key, self.table = n, 0, 0, {}
        for token in ids:
            self.append(token)

    def append(self, token):
        self.table.setdefault(self.key, set()).add(token)
        self.count += 1
        self.key = (self.key * 1024 + token % 1024) % 1024 ** min(3, self.n - 1) if self.n > 1 else 0

    def banned(self):
        return set(self.table.get(self.key, ())) if self.count >= self.n - 1 else set()

    def block(self, logits):
        return logits.index_fill(0, torch.tensor(list(self.banned()), dtype=torch.int64), -torch.inf)
