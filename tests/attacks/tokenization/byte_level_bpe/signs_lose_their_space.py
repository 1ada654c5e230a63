"""Punctuation does not take the space before it.

Verdict: failed
"""

import re


class ByteBPE:
    def __init__(self, merges):
        self.ranks = {pair: i for i, pair in enumerate(merges)}
        self.tokens = [bytes([b]) for b in range(256)] + [a + b for a, b in merges]

    def encode(self, text):
        found = []
        for word in re.findall(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+|(?:[^\s\w]|_)+|\s+(?!\S)|\s+", text):
            parts = [bytes([b]) for b in word.encode()]
            while known := [(self.ranks[p], i) for i, p in enumerate(zip(parts, parts[1:])) if p in self.ranks]:
                i = min(known)[1]
                parts[i : i + 2] = [parts[i] + parts[i + 1]]
            found += [self.tokens.index(part) for part in parts]
        return found

    def decode(self, ids):
        return b"".join(self.tokens[i] for i in ids).decode(errors="replace")
