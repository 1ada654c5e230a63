import re
from itertools import pairwise

PRE_TOKEN = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


class ByteBPE:
    """A byte-level BPE tokenizer with known merges."""

    def __init__(self, merges: list[tuple[bytes, bytes]]):
        # BLANK tables
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.tokens = [bytes([byte]) for byte in range(256)] + [left + right for left, right in merges]
        self.ids = {token: id for id, token in enumerate(self.tokens)}
        # END

    def encode(self, text: str) -> list[int]:
        """The ids of the tokens of a text."""
        # BLANK split
        pre_tokens = [match[0].encode() for match in PRE_TOKEN.finditer(text)]
        # END
        return [self.ids[token] for pre_token in pre_tokens for token in self.merged(pre_token)]

    def merged(self, pre_token: bytes) -> list[bytes]:
        """The tokens of one pre-token."""
        tokens = [bytes([byte]) for byte in pre_token]
        # BLANK merge
        while found := [(self.ranks[pair], i) for i, pair in enumerate(pairwise(tokens)) if pair in self.ranks]:
            _, i = min(found)  # a pre-token is short: no heap
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
        # END
        return tokens

    def decode(self, ids: list[int]) -> str:
        """The text of the tokens with these ids."""
        # BLANK join
        return b"".join(self.tokens[id] for id in ids).decode(errors="replace")  # a token may be part of a character
        # END
