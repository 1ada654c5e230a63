"""Lists all ways to cut a text: right, and without end for a page.

Seconds: 0.5
Verdict: failed
"""

import math


def cuts(text, logp):
    if not text:
        return [[]]
    return [[text[:k], *rest] for k in range(1, len(text) + 1) if text[:k] in logp for rest in cuts(text[k:], logp)]


def viterbi(text, logp):
    return max(cuts(text, logp), key=lambda cut: sum(map(logp.get, cut)), default=None)


def em_step(corpus, logp):
    counts = {}
    for text, times in corpus.items():
        ways = cuts(text, logp)
        shares = [math.exp(sum(map(logp.get, cut))) for cut in ways]
        for cut, share in zip(ways, shares):
            for piece in cut:
                counts[piece] = counts.get(piece, 0) + times * share / sum(shares)
    return {piece: math.log(c / sum(counts.values())) for piece, c in counts.items()}
