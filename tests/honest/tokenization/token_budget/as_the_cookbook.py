"""OpenAI's recipe for counting; tiktoken's lesson in BPE; a deque that drops from the left."""

from collections import deque


class TokenBudget:
    def __init__(self, ranks, per_message=3, per_name=1, reply=3):
        self.mergeable_ranks = ranks
        self.tokens_per_message = per_message
        self.tokens_per_name = per_name
        self.priming = reply

    def encode(self, text):
        parts = [bytes([b]) for b in text.encode("utf-8")]
        while True:
            min_idx = None
            min_rank = None
            for i, pair in enumerate(zip(parts[:-1], parts[1:])):
                rank = self.mergeable_ranks.get(pair[0] + pair[1])
                if rank is not None and (min_rank is None or rank < min_rank):
                    min_idx = i
                    min_rank = rank
            if min_rank is None:
                break
            parts = parts[:min_idx] + [parts[min_idx] + parts[min_idx + 1]] + parts[min_idx + 2 :]
        return [self.mergeable_ranks[part] for part in parts]

    def count(self, messages):
        num_tokens = 0
        for message in messages:
            num_tokens += self.tokens_per_message
            for key, value in message.items():
                num_tokens += len(self.encode(value))
                if key == "name":
                    num_tokens += self.tokens_per_name
        num_tokens += self.priming
        return num_tokens

    def fit(self, messages, context, max_new):
        kept = deque(range(len(messages)))
        held = []
        while self.count([messages[i] for i in (*held, *kept)]) + max_new > context:
            while kept and messages[kept[0]]["role"] == "system":
                held.append(kept.popleft())
            if len(kept) <= 1:
                return None
            kept.popleft()
        return [messages[i] for i in (*held, *kept)]
