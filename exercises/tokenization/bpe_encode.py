"""Encoding with BPE

Cut a word into tokens with the merges that a BPE training has learned:

    tokens       at first the single characters of the word
    one merge    of all pairs of neighbouring tokens that have a rank, the one with the
                 lowest rank, of several the leftmost, becomes one token

until no pair of neighbours has a rank. So what training learned first goes first, however
long another token would be or however often it would occur. A new token meets its
neighbours: it can merge further.

word     str, may be empty; any characters, those that no merge knows as well. It can be as
         long as a page, spaces included
ranks    dict from (left, right), two str, to int: when training learned to merge the two,
         0 first. Two pairs never have the same rank; any order may come, also one that no
         training gives. Must not be changed
result   list of str: the tokens; together they are the word

The work may grow like n log n with the length of the word: do not look at all pairs again
for each merge. A heap gives the next one; keep the tokens in a linked list, not a list.

Source: Sennrich et al. 2016, Neural Machine Translation of Rare Words with Subword Units, arXiv:1508.07909, §3.2
"""

from heapq import heapify, heappop, heappush
from itertools import pairwise


def bpe_encode(word: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    """The tokens of a word: merged by rank, the lowest first."""
    tokens = [*word, ""]  # the last is the end of the word; a token that was merged away becomes "" as well
    left = list(range(-1, len(word)))  # where the neighbours of each token stand; tokens[-1] is "", too
    right = [*range(1, len(tokens)), len(word)]
    # TODO (2 lines): `heap`: (rank, position of the left token) of every pair in the word that has a rank
    raise NotImplementedError("start")
    while heap:
        # TODO (3 lines): `rank`, `i`: the lowest entry; `j`: its right neighbour; `fresh`: is this still their rank?
        raise NotImplementedError("pop")
        if not fresh:
            continue
        # TODO (4 lines): token i takes in token j, which becomes ""; `left` and `right` step over j
        raise NotImplementedError("merge")
        # TODO (4 lines): the two pairs that the new token is part of, if they have a rank
        raise NotImplementedError("push")
    return [token for token in tokens if token]
