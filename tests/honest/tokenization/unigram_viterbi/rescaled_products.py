"""Probabilities that are rescaled at each place, as speech recognition does; Viterbi with tuples in a dict."""

import math


def viterbi(text, logp):
    lengths = sorted({len(piece) for piece in logp})
    best = {0: (0.0, None)}
    for end in range(1, len(text) + 1):
        options = []
        for length in lengths:
            if end - length in best and text[end - length : end] in logp:
                options.append((best[end - length][0] + logp[text[end - length : end]], end - length))
        if options:
            best[end] = max(options)
    if len(text) not in best:
        return None
    cut, end = [], len(text)
    while end > 0:
        begin = best[end][1]
        cut.insert(0, text[begin:end])
        end = begin
    return cut


def em_step(corpus, logp):
    p = {piece: math.exp(value) for piece, value in logp.items()}
    longest = max(map(len, p))
    counts = {}
    for text, times in corpus.items():
        n = len(text)
        behind, scale = [0.0] * n + [1.0], [0.0] * (n + 1)
        for i in range(n - 1, -1, -1):
            terms = [(p[text[i:j]], j) for j in range(i + 1, min(n, i + longest) + 1) if text[i:j] in p and behind[j]]
            if terms:
                top = max(scale[j] for _, j in terms)
                value = sum(q * behind[j] * math.exp(scale[j] - top) for q, j in terms)
                behind[i], scale[i] = 1.0, top + math.log(value)
        arrive = [1.0] + [0.0] * n
        for i in range(n):
            for j in range(i + 1, min(n, i + longest) + 1):
                piece = text[i:j]
                if piece in p and arrive[i] and behind[j]:
                    share = arrive[i] * p[piece] * math.exp(scale[j] - scale[i])
                    arrive[j] += share
                    counts[piece] = counts.get(piece, 0.0) + times * share
    whole = math.fsum(counts.values())
    return {piece: math.log(c / whole) for piece, c in counts.items()}
