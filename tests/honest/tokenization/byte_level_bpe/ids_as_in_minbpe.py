"""Merges as pairs of ids; an id is also its rank."""

import re


class ByteBPE:
    def __init__(self, merges):
        self.vocab = {i: bytes((i,)) for i in range(256)}
        number = {token: i for i, token in self.vocab.items()}
        self.merges = {}
        waiting = list(enumerate(merges, 256))
        for i, (left, right) in waiting:
            self.vocab[i] = left + right
            number[left + right] = i
        for i, (left, right) in waiting:  # a merge may use a token that a later one makes
            if left in number and right in number:
                self.merges[number[left], number[right]] = i

    def encode(self, text):
        out = []
        for m in re.finditer(r"""'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+""", text):
            ids = list(m.group().encode("utf-8"))
            while len(ids) >= 2:
                pair = min(zip(ids, ids[1:]), key=lambda p: self.merges.get(p, float("inf")))
                if pair not in self.merges:
                    break
                i = 0
                while i < len(ids) - 1:
                    if (ids[i], ids[i + 1]) == pair:
                        ids[i : i + 2] = [self.merges[pair]]
                    i += 1
            out += ids
        return out

    def decode(self, ids):
        return b"".join(map(self.vocab.__getitem__, ids)).decode("utf-8", errors="replace")
