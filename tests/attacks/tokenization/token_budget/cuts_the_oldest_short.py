"""The oldest message that does not fit is cut short in place of being dropped.

Verdict: failed
"""


class TokenBudget:
    def __init__(self, ranks, per_message=3, per_name=1, reply=3):
        self.ranks, self.extra = ranks, (per_message, per_name, reply)

    def tokens(self, text):
        parts = [bytes([b]) for b in text.encode()]
        while found := [(self.ranks[a + b], i) for i, (a, b) in enumerate(zip(parts, parts[1:])) if a + b in self.ranks]:
            i = min(found)[1]
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        return len(parts)

    def count(self, messages):
        each, name, reply = self.extra
        return reply + sum(each + name * ("name" in m) + sum(map(self.tokens, m.values())) for m in messages)

    def fit(self, messages, context, max_new):
        for start in range(len(messages)):
            kept = [dict(m) for i, m in enumerate(messages) if i >= start or m["role"] == "system"]
            while kept and kept[0]["content"] and self.count(kept) + max_new > context and kept[0]["role"] != "system":
                kept[0]["content"] = kept[0]["content"][1:]
            if self.count(kept) + max_new <= context:
                return kept
        return None
