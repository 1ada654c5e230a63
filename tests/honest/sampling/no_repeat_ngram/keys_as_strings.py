"""Beginnings as strings, all tokens of the text kept, -inf put in by scatter."""
import torch


class NoRepeatNGram:
    table: dict

    def __init__(self, n, ids):
        self.n = n
        self.text = []
        self.table = {}
        list(map(self.append, ids))

    def beginning(self):
        first = len(self.text) - self.n + 1
        return None if first < 0 else ",".join(map(str, self.text[first:]))

    def append(self, token):
        key = self.beginning()
        self.text.append(token)
        if key is not None:
            self.table[key] = self.table.get(key, frozenset()) | {token}

    def banned(self):
        return set(self.table.get(self.beginning(), []))

    def block(self, logits):
        places = torch.tensor([*self.banned()], dtype=torch.long)
        values = torch.full(places.shape, -torch.inf, dtype=logits.dtype)
        return logits.scatter(0, places, values)
