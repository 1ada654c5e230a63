"""Each message is counted once, by a function with a cache of its own; then the room is filled from the newest on."""

from functools import lru_cache


def tokenizer(ranks):
    @lru_cache(maxsize=None)
    def size(data: bytes) -> int:
        ends = list(range(len(data) + 1))
        while True:
            best = None
            for a, b, c in zip(ends, ends[1:], ends[2:]):
                rank = ranks.get(data[a:c])
                if rank is not None and (best is None or rank < best[0]):
                    best = (rank, b)
            if best is None:
                return len(ends) - 1
            ends.remove(best[1])

    return size


class TokenBudget:
    def __init__(self, ranks, per_message=3, per_name=1, reply=3):
        self.size = tokenizer(ranks)
        self.overhead = per_message, per_name, reply

    def _cost(self, message):
        per_message, per_name, _ = self.overhead
        return per_message + per_name * ("name" in message) + sum(self.size(v.encode()) for v in message.values())

    def count(self, messages):
        return sum(map(self._cost, messages), start=self.overhead[2])

    def fit(self, messages, context, max_new):
        *earlier, newest = messages
        room = context - max_new - self.overhead[2] - self._cost(newest)
        room -= sum(self._cost(m) for m in earlier if m["role"] == "system")
        if room < 0:
            return None
        kept, open_ = [newest], True
        for message in reversed(earlier):
            if message["role"] == "system":
                kept.append(message)
                continue
            room -= self._cost(message)
            open_ = open_ and room >= 0
            if open_:
                kept.append(message)
        return kept[::-1]
