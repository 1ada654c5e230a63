"""Unigram language model: Viterbi and EM

A unigram tokenizer gives each piece a probability and takes the pieces of a text to be drawn
independently. Of pieces x = x_1 … x_k that together are the text:

    log P(x) = logp[x_1] + … + logp[x_k]

viterbi(text, logp): the x with the largest log P(x), as a list of str; [] for an empty text,
None where no pieces make the text. There are no ties.

em_step(corpus, logp): one step of EM, which learns the probabilities. All ways to cut a text
count, each with its share:

    E   c(v) = Σ over texts T, each as often as it occurs,
               Σ over all x that make T:   P(x) / P(T) · (how often v is in x)
               where P(T) is the sum of P(x) over all x that make T
    M   new logp[v] = log( c(v) / Σ_w c(w) )

The result has a Python float for each piece that some way to cut a whole text uses, and no
others.

logp     dict from str (not empty) to float (0 or less, finite), of any sum. Do not change it
corpus   dict from str, texts that can be cut, to int, how often each occurs

There are up to 2^(n-1) ways to cut n characters, but n·m steps do, where m is the length of
the longest piece: from each place look neither at longer pieces nor at the whole vocabulary.
P(T) of a page is far below what a float can hold: add up logarithms.

Source: Kudo 2018, Subword Regularization, arXiv:1804.10959, §3.2
"""

from collections import defaultdict
from math import exp, inf, log, log1p


def viterbi(text: str, logp: dict[str, float]) -> list[str] | None:
    """The most probable pieces that make the text."""
    longest = max(map(len, logp))
    best = [0.0] + [-inf] * len(text)  # of the pieces that end at each place: the largest sum
    start = [0] * len(best)  # and where the last of them begins
    for end in range(1, len(best)):
        # TODO (4 lines): `best[end]` and `start[end]`: over all pieces that end there
        raise NotImplementedError("step")
    # TODO (7 lines): return the pieces of the best way, from the first to the last; None if there is none
    raise NotImplementedError("trace")


def em_step(corpus: dict[str, int], logp: dict[str, float]) -> dict[str, float]:
    """The logp under which the expected counts of the pieces are most probable."""
    counts: defaultdict[str, float] = defaultdict(float)
    for text, times in corpus.items():
        spans = occurrences(text, logp)
        # TODO (3 lines): `before`, a list: the log of P(text[:i]), over all ways to cut it, for each i from 0 to n
        raise NotImplementedError("forward")
        # TODO (3 lines): `after`, a list: the log of P(text[i:]), over all ways to cut it, for each i from 0 to n
        raise NotImplementedError("backward")
        # TODO (3 lines): add the expected number of each piece in these texts to `counts`
        raise NotImplementedError("expect")
    # TODO (2 lines): return the new logp of every piece that was expected at all
    raise NotImplementedError("maximise")


def occurrences(text: str, logp: dict[str, float]) -> list[tuple[int, int]]:
    """Where pieces stand in the text, (begin, end), those that begin first in front."""
    longest = max(map(len, logp))
    places = [(i, j) for i in range(len(text)) for j in range(i + 1, min(i + longest, len(text)) + 1)]
    return [(i, j) for i, j in places if text[i:j] in logp]


def log_add(a: float, b: float) -> float:
    """log(exp(a) + exp(b)), however small both are."""
    low, high = sorted((a, b))
    return high + log1p(exp(low - high)) if low > -inf else high
