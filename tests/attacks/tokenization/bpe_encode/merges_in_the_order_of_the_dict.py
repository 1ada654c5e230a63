"""Goes through the merges once, in the order of their ranks: one that a later merge makes possible again is missed.

Verdict: failed
"""


def bpe_encode(word, ranks):
    tokens = list(word)
    for pair in sorted(ranks, key=ranks.get):
        joined = []
        for token in tokens:
            if joined and (joined[-1], token) == pair:
                joined[-1] += token
            else:
                joined.append(token)
        tokens = joined
    return tokens
