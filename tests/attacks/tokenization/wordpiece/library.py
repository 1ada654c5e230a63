"""The library's model encodes.

Verdict: failed, CZ001
"""

import tokenizers


def best_pair(words):
    return None


def encode(word, vocab, max_chars=100):
    model = tokenizers.models.WordPiece({piece: i for i, piece in enumerate(vocab)}, max_input_chars_per_word=max_chars)
    return [token.value for token in model.tokenize(word)]
