"""Counting tokens and keeping a budget

A model reads tokens, counts them with a tokenizer of its own and adds some that no one typed.
One TokenBudget is for one model; count says how many tokens a prompt has:

    tokens(text)    starting with the single bytes of text in UTF-8: of all neighbours that
                    together are in ranks those with the lowest rank, of several the
                    leftmost, become one, until there are none; what is left is counted
    cost(message)   per_message + tokens of each of its values, role and name included,
                    each on its own; and per_name if it has a name
    count           reply + the costs of all messages; reply opens the model's answer

fit cuts a chat so that the model can read it and answer with up to max_new tokens:

    count(kept) + max_new <= context

Messages are dropped one by one, the oldest first, until it fits. System messages and the
newest message are never dropped; all others go before a newer one does, however short.
Those that are kept stay in their order. Where nothing more can be dropped: None.

ranks      dict from bytes to int, all different; all single bytes are in it
per_name   int, like per_message and reply; may be negative: a name then replaces the role
messages   list of dicts from str to str: "role" ("system", "user" or "assistant"),
           "content", perhaps "name". Must not be changed. For fit: at least one
results    count: int; fit: a list of the same dicts, or None

Source: OpenAI Cookbook, How to count tokens with tiktoken: num_tokens_from_messages; the documentation of tiktoken
"""

from itertools import pairwise


class TokenBudget:
    """Counts the tokens of a chat for one model, and cuts its history to fit."""

    def __init__(self, ranks: dict[bytes, int], per_message: int = 3, per_name: int = 1, reply: int = 3):
        self.ranks = ranks
        self.per_message, self.per_name, self.reply = per_message, per_name, reply

    def count(self, messages: list[dict[str, str]]) -> int:
        """How many tokens of prompt the messages are."""
        # TODO (1 line): return the tokens of the whole prompt
        raise NotImplementedError("total")

    def cost(self, message: dict[str, str]) -> int:
        """How many tokens one message adds."""
        # TODO (2 lines): return what one message adds, with its role, its name and what no one typed
        raise NotImplementedError("cost")

    def tokens(self, text: str) -> int:
        """How many tokens a text has for this model."""
        parts = [bytes([byte]) for byte in text.encode()]
        # TODO (3 lines): merge neighbours in `parts`, the lowest rank first, until there are none
        raise NotImplementedError("merge")
        return len(parts)

    def fit(self, messages: list[dict[str, str]], context: int, max_new: int) -> list[dict[str, str]] | None:
        """As much of the chat as the model can read and still answer."""
        for start in range(len(messages)):
            # TODO (2 lines): `kept`: the messages without those before `start` that may be dropped
            raise NotImplementedError("keep")
            # TODO (2 lines): return `kept` if the model can read it and answer
            raise NotImplementedError("fits")
        return None
