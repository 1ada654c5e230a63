"""Texts are remembered, whatever their pieces.

Verdict: failed
"""

from collections import defaultdict
from math import exp, inf, log, log1p


KNOWN: dict[str, list[str]] = {}


def viterbi(text: str, logp: dict[str, float]) -> list[str] | None:
    """The most probable pieces that make the text."""
    if text in KNOWN:
        return list(KNOWN[text])
    longest = max(map(len, logp))
    best = [0.0] + [-inf] * len(text)  # of the pieces that end at each place: the largest sum
    start = [0] * len(best)  # and where the last of them begins
    for end in range(1, len(best)):
        for begin in range(max(0, end - longest), end):
            score = best[begin] + logp.get(text[begin:end], -inf)
            if score > best[end]:
                best[end], start[end] = score, begin
    if best[-1] == -inf:
        return None
    pieces, end = [], len(text)
    while end:
        pieces.append(text[start[end] : end])
        end = start[end]
    KNOWN[text] = pieces[::-1]
    return pieces[::-1]


def em_step(corpus: dict[str, int], logp: dict[str, float]) -> dict[str, float]:
    """The logp under which the expected counts of the pieces are most probable."""
    counts: defaultdict[str, float] = defaultdict(float)
    for text, times in corpus.items():
        spans = occurrences(text, logp)
        before = [0.0] + [-inf] * len(text)  # log of the probability of all ways to cut text[:i]
        for begin, end in spans:
            before[end] = log_add(before[end], before[begin] + logp[text[begin:end]])
        after = [-inf] * len(text) + [0.0]  # the same of text[i:]
        for begin, end in reversed(spans):
            after[begin] = log_add(after[begin], logp[text[begin:end]] + after[end])
        for begin, end in spans:
            piece = text[begin:end]
            counts[piece] += times * exp(before[begin] + logp[piece] + after[end] - before[-1])
    total = sum(counts.values())
    return {piece: log(count / total) for piece, count in counts.items() if count}


def occurrences(text: str, logp: dict[str, float]) -> list[tuple[int, int]]:
    """Where pieces stand in the text, (begin, end), those that begin first in front."""
    longest = max(map(len, logp))
    places = [(i, j) for i in range(len(text)) for j in range(i + 1, min(i + longest, len(text)) + 1)]
    return [(i, j) for i, j in places if text[i:j] in logp]


def log_add(a: float, b: float) -> float:
    """log(exp(a) + exp(b)), however small both are."""
    low, high = sorted((a, b))
    return high + log1p(exp(low - high)) if low > -inf else high
