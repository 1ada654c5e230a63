r"""Training BPE

Learn the merges of a byte-level BPE tokenizer, in the order in which they are made:

    pre-tokens   the matches of the regular expression  ` ?\S+|\s+`  in text (a str)
    tokens       at first the single bytes of every pre-token in UTF-8
    one merge    the most frequent pair of neighbouring tokens becomes one token,
                 wherever it occurs

A pair lies within one pre-token. It counts at every position of every pre-token of the
text, also where it overlaps itself: aaa holds (a, a) twice. Tokens are joined from left
to right: aaa becomes aa a.

Of equally frequent pairs the greatest goes first, as Python compares tuples of bytes.
A pair that occurs once still merges. Stop after num_merges, or when no pair is left.

text         str, may be empty
num_merges   int >= 0
result       list of tuples (bytes, bytes): the two tokens of each merge

To count everything again after each merge is right. Only words that hold the pair
change, though: to correct their counts alone is far faster on a large text.

Source: Sennrich et al. 2016, Neural Machine Translation of Rare Words with Subword Units, arXiv:1508.07909, alg. 1
"""

import re
from collections import Counter, defaultdict
from itertools import pairwise


def train_bpe(text: str, num_merges: int) -> list[tuple[bytes, bytes]]:
    """The merges of a byte-level BPE, in the order in which they are learned."""
    # TODO (3 lines): `words`, each different pre-token as a list of single bytes, and `times`, how often each occurs
    raise NotImplementedError("split")
    counts: Counter[tuple[bytes, bytes]] = Counter()  # how often each pair occurs in the text
    homes: defaultdict[tuple[bytes, bytes], set[int]] = defaultdict(set)  # in which words, by index: no other changes
    # TODO (4 lines): fill `counts` and `homes` with the pairs of all words
    raise NotImplementedError("count")
    merges: list[tuple[bytes, bytes]] = []
    while len(merges) < num_merges:
        # TODO (4 lines): return if no pair is left; else append the next pair, `best`, to `merges`
        raise NotImplementedError("choose")
        # TODO (8 lines): join `best` in the words that hold it; keep `counts` and `homes` correct, without zeros
        raise NotImplementedError("update")
    return merges


def joined(word: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """The tokens of a word, with every occurrence of the pair made one token."""
    # TODO (7 lines): return the tokens with the pair joined, from left to right
    raise NotImplementedError("join")
