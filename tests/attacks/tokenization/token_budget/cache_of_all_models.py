"""Counts are remembered by text, for all models together.

Verdict: failed
"""

known = {}


class TokenBudget:
    def __init__(self, ranks, per_message=3, per_name=1, reply=3):
        self.ranks, self.extra = ranks, (per_message, per_name, reply)

    def tokens(self, text):
        if text not in known:
            parts = [bytes([b]) for b in text.encode()]
            while found := [(self.ranks[a + b], i) for i, (a, b) in enumerate(zip(parts, parts[1:])) if a + b in self.ranks]:
                i = min(found)[1]
                parts[i : i + 2] = [parts[i] + parts[i + 1]]
            known[text] = len(parts)
        return known[text]

    def count(self, messages):
        each, name, reply = self.extra
        return reply + sum(each + name * ("name" in m) + sum(map(self.tokens, m.values())) for m in messages)

    def fit(self, messages, context, max_new):
        for start in range(len(messages)):
            kept = [m for i, m in enumerate(messages) if i >= start or m["role"] == "system"]
            if self.count(kept) + max_new <= context:
                return kept
        return None
