"""As tiktoken: a pair merges if together it is a known token, whichever two made it.

Verdict: failed
"""

from heapq import heapify, heappop, heappush


def bpe_encode(word, ranks):
    known = {}
    for (left, right), rank in ranks.items():
        known[left + right] = min(rank, known.get(left + right, rank))
    n = len(word)
    tokens, before, after = [*word, ""], [*range(-1, n)], [*range(1, n + 1), n]
    heap = [(known[word[i : i + 2]], i) for i in range(n - 1) if word[i : i + 2] in known]
    heapify(heap)
    while heap:
        rank, i = heappop(heap)
        j = after[i]
        if not tokens[i] or not tokens[j] or known.get(tokens[i] + tokens[j]) != rank:
            continue
        tokens[i] += tokens[j]
        tokens[j] = ""
        after[i] = after[j]
        before[after[j]] = i
        for k in (before[i], i):
            if tokens[k] and tokens[after[k]] and tokens[k] + tokens[after[k]] in known:
                heappush(heap, (known[tokens[k] + tokens[after[k]]], k))
    return [token for token in tokens if token]
