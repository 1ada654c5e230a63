"""The bytes of the text, no merges: what decode makes of them is right all the same.

Verdict: failed
"""


class ByteBPE:
    def __init__(self, merges):
        self.tokens = [bytes([b]) for b in range(256)] + [a + b for a, b in merges]

    def encode(self, text):
        return list(text.encode())

    def decode(self, ids):
        return b"".join(self.tokens[i] for i in ids).decode(errors="replace")
