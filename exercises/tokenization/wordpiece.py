"""WordPiece

WordPiece is the tokenizer of BERT. Its pieces are written as they are at the start of a
word, and with ## in front within it: un ##able. Two functions:

best_pair(words): which two pieces training merges next. BPE takes the pair that occurs most
often; WordPiece the one that raises the likelihood of the text most for each occurrence:

    score(a, b) = f(ab) / (f(a) · f(b))     the largest wins

f(a) is how often the piece a occurs in all words, f(ab) how often b stands right behind a.
Every position counts; a word that occurs n times counts n times; a and ##a are two pieces.

words    dict from tuples of str, the pieces of a word in order, to int, how often the word
         occurs. No two pairs share the largest score
result   (a, b), or None where no word has two pieces

encode(word, vocab, max_chars): from the left, the longest piece in vocab that matches, then
again behind it; no merges, no scores. Where no piece matches, the result is ["[UNK]"], for
the whole word, although a shorter piece before might have led on. The same goes for a word
of more than max_chars characters, known or not.

word       str, a single word, may be empty: it has no pieces
vocab      set of str
result     list of str

Source: Schuster and Nakajima 2012; Wu et al. 2016, arXiv:1609.08144, §4.1; Devlin et al. 2018, arXiv:1810.04805
"""

from collections import Counter
from itertools import pairwise


def best_pair(words: dict[tuple[str, ...], int]) -> tuple[str, str] | None:
    """The two pieces that a WordPiece training merges next."""
    # TODO (7 lines): `pieces` and `pairs`, two Counters: how often each piece and each pair of neighbours occurs
    raise NotImplementedError("count")
    # TODO (1 line): return the pair with the largest score, or None
    raise NotImplementedError("choose")


def encode(word: str, vocab: set[str], max_chars: int = 100) -> list[str]:
    """The pieces of a word: the longest that is known, again and again."""
    # TODO (2 lines): a word of more than max_chars characters is unknown
    raise NotImplementedError("too_long")
    found: list[str] = []
    start = 0
    while start < len(word):
        # TODO (2 lines): `candidates`: what may match at start, the longest first, each as (piece, where it ends)
        raise NotImplementedError("candidates")
        # TODO (5 lines): append the longest candidate in vocab to `found`, set `start` to its end; return if none is
        raise NotImplementedError("match")
    return found
