"""Messages are popped out of the caller's list.

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
        while self.count(messages) + max_new > context:
            loose = [i for i, m in enumerate(messages[:-1]) if m["role"] != "system"]
            if not loose:
                return None
            messages.pop(loose[0])
        return messages
