"""As tiktoken: a pair merges if together it is a known token, whichever two were learned to make it.

Verdict: failed
"""

import re


class ByteBPE:
    def __init__(self, merges):
        self.tokens = [bytes([b]) for b in range(256)] + [a + b for a, b in merges]
        self.ids = {token: i for i, token in enumerate(self.tokens)}

    def encode(self, text):
        found = []
        for word in re.findall(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+", text):
            parts = [bytes([b]) for b in word.encode()]
            while True:
                known = [(self.ids[a + b], i) for i, (a, b) in enumerate(zip(parts, parts[1:])) if a + b in self.ids]
                if not known:
                    break
                i = min(known)[1]
                parts[i : i + 2] = [parts[i] + parts[i + 1]]
            found += [self.ids[part] for part in parts]
        return found

    def decode(self, ids):
        return b"".join(self.tokens[i] for i in ids).decode(errors="replace")
