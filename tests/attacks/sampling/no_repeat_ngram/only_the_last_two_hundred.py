"""Remembers the last two hundred tokens only.

Verdict: failed
"""

import torch


class NoRepeatNGram:
    def __init__(self, n, ids):
        self.n, self.text = n, list(ids)[-200:]

    def append(self, token):
        self.text = [*self.text, token][-200:]

    def banned(self):
        places = range(len(self.text) - self.n + 1)
        end = self.text[len(self.text) - self.n + 1 :]
        return {self.text[i + self.n - 1] for i in places if self.text[i : i + self.n - 1] == end}

    def block(self, logits):
        return logits.index_fill(0, torch.tensor(list(self.banned()), dtype=torch.int64), -torch.inf)
