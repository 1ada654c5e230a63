"""All occurrences of a pair merge before the ranks are looked at again.

Verdict: failed
"""

from itertools import pairwise


class TokenBudget:
    """Counts the tokens of a chat for one model, and cuts its history to fit."""

    def __init__(self, ranks: dict[bytes, int], per_message: int = 3, per_name: int = 1, reply: int = 3):
        self.ranks = ranks
        self.per_message, self.per_name, self.reply = per_message, per_name, reply

    def count(self, messages: list[dict[str, str]]) -> int:
        """How many tokens of prompt the messages are."""
        return self.reply + sum(self.cost(message) for message in messages)

    def cost(self, message: dict[str, str]) -> int:
        """How many tokens one message adds."""
        extra = self.per_message + (self.per_name if "name" in message else 0)
        return extra + sum(self.tokens(value) for value in message.values())

    def tokens(self, text: str) -> int:
        """How many tokens a text has for this model."""
        parts = [bytes([byte]) for byte in text.encode()]
        while found := [(self.ranks[a + b], i) for i, (a, b) in enumerate(pairwise(parts)) if a + b in self.ranks]:
            best, rest, parts = parts[min(found)[1]] + parts[min(found)[1] + 1], parts, []
            while rest:
                size = 2 if b"".join(rest[:2]) == best and len(rest) > 1 and rest[0] != best else 1
                parts.append(b"".join(rest[:size]))
                rest = rest[size:]
        return len(parts)

    def fit(self, messages: list[dict[str, str]], context: int, max_new: int) -> list[dict[str, str]] | None:
        """As much of the chat as the model can read and still answer."""
        for start in range(len(messages)):
            before = [message for message in messages[:start] if message["role"] == "system"]
            kept = before + messages[start:]
            if self.count(kept) + max_new <= context:
                return kept
        return None
