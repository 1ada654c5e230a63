"""As GPT-2's own code: the whole word is read for each merge that occurs in it, which is right in a word, and slow on a page.

Verdict: failed
"""


def bpe_encode(word, ranks):
    tokens = list(word)
    while len(tokens) > 1:
        pairs = set(zip(tokens, tokens[1:]))
        best = min(pairs, key=lambda pair: ranks.get(pair, float("inf")))
        if best not in ranks:
            break
        joined, i = [], 0
        while i < len(tokens):
            if i < len(tokens) - 1 and (tokens[i], tokens[i + 1]) == best:
                joined.append(tokens[i] + tokens[i + 1])
                i += 2
            else:
                joined.append(tokens[i])
                i += 1
        tokens = joined
    return tokens
