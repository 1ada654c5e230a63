"""The library's model, given the merges.

Verdict: failed, CZ001
"""

from tokenizers.models import BPE


def bpe_encode(word, ranks):
    merges = sorted(ranks, key=ranks.get)
    vocab = {token: i for i, token in enumerate(dict.fromkeys([*word, *map("".join, merges)]))}
    return [token.value for token in BPE(vocab, merges).tokenize(word)]
