r"""Byte-level BPE, as in GPT-2

Turn any text into token ids, and the ids back into the very same text:

    pre-tokens   the matches in text, one after the other, of GPT-2's regular expression, as
                 near as Python's re comes (½ and Ⅷ count as letters); they are all of it:
                 '(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+
    tokens       at first the single bytes of a pre-token in UTF-8
    one merge    of all pairs of neighbouring tokens that are in merges the one that was
                 learned first, of several the leftmost, becomes one token; until there
                 is none. A pair lies within one pre-token
    ids          byte b has id b; the token that merges[i] makes has id 256 + i

decode joins the bytes of all tokens, then reads them as UTF-8. A character may lie in
several tokens: each alone need not be UTF-8. Where all together are not, as a model may
choose any ids, Python's errors="replace" says what stands there: �.

ByteBPE(merges)
merges        list of tuples (bytes, bytes), in the order in which they were learned;
              no two make the same token
encode(text)  text: str without lone surrogates, may be empty -> list of int
decode(ids)   ids: list of int, 0 <= id < 256 + len(merges), may be empty -> str

There is no unknown token, as every text is made of 256 bytes; no normalisation, as
decode(encode(text)) == text. GPT-2 writes bytes as printable characters in its files and
numbers them in another order; that changes nothing here.

Source: Radford et al. 2019, Language Models are Unsupervised Multitask Learners, §2.2
"""

import re
from itertools import pairwise

PRE_TOKEN = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


class ByteBPE:
    """A byte-level BPE tokenizer with known merges."""

    def __init__(self, merges: list[tuple[bytes, bytes]]):
        # TODO (3 lines): `self.ranks`: pair -> rank; `self.tokens`: the bytes of every id; `self.ids`: bytes -> id
        raise NotImplementedError("tables")

    def encode(self, text: str) -> list[int]:
        """The ids of the tokens of a text."""
        # TODO (1 line): `pre_tokens`: each pre-token of the text, in order, as UTF-8 bytes
        raise NotImplementedError("split")
        return [self.ids[token] for pre_token in pre_tokens for token in self.merged(pre_token)]

    def merged(self, pre_token: bytes) -> list[bytes]:
        """The tokens of one pre-token."""
        tokens = [bytes([byte]) for byte in pre_token]
        # TODO (3 lines): merge neighbours in `tokens`, the lowest rank first, until no pair has one
        raise NotImplementedError("merge")
        return tokens

    def decode(self, ids: list[int]) -> str:
        """The text of the tokens with these ids."""
        # TODO (1 line): return the text that the tokens make together
        raise NotImplementedError("join")
