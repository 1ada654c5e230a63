"""Viterbi looks two pieces ahead and takes the better start; EM counts what it finds.

Verdict: failed
"""

import math


def viterbi(text, logp):
    found, rest = [], text
    while rest:
        options = [rest[:k] for k in range(1, len(rest) + 1) if rest[:k] in logp]
        if not options:
            return None

        def ahead(piece):
            tail = rest[len(piece) :]
            nexts = [logp[tail[:k]] / k for k in range(1, len(tail) + 1) if tail[:k] in logp]
            return (logp[piece] / len(piece)) + max(nexts, default=0.0 if not tail else -math.inf)

        found.append(max(options, key=ahead))
        rest = rest[len(found[-1]) :]
    return found


def em_step(corpus, logp):
    counts = {}
    for text, times in corpus.items():
        for piece in viterbi(text, logp) or []:
            counts[piece] = counts.get(piece, 0) + times
    return {piece: math.log(c / sum(counts.values())) for piece, c in counts.items()}
