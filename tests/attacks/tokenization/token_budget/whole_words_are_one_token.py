"""A word that is in ranks as a whole is one token, whichever merges would be made before.

Verdict: failed
"""


class TokenBudget:
    def __init__(self, ranks, per_message=3, per_name=1, reply=3):
        self.ranks, self.extra = ranks, (per_message, per_name, reply)

    def tokens(self, text):
        if text.encode() in self.ranks:
            return 1
        size, data = 0, text.encode()
        while data:
            size += 1
            data = data[next(n for n in range(len(data), 0, -1) if data[:n] in self.ranks) :]
        return size

    def count(self, messages):
        each, name, reply = self.extra
        return reply + sum(each + name * ("name" in m) + sum(map(self.tokens, m.values())) for m in messages)

    def fit(self, messages, context, max_new):
        for start in range(len(messages)):
            kept = [m for i, m in enumerate(messages) if i >= start or m["role"] == "system"]
            if self.count(kept) + max_new <= context:
                return kept
        return None
