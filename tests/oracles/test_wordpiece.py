"""tokenization/wordpiece against the encoder of tokenizers. Its trainer is no oracle: it trains a BPE, and marks the pieces."""

import random

import pytest
from tokenizers.models import WordPiece

from clozekit.grading import corpus


def tokenized(word, vocab, max_chars):
    ids = {piece: i for i, piece in enumerate(sorted({*vocab, "[UNK]"}))}
    model = WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=max_chars)
    return [token.value for token in model.tokenize(word)] if word else []


def test_the_cases(kit):
    solution, grader = kit("tokenization/wordpiece")
    for word, vocab, max_chars in grader.WORDS.values():
        known = set(vocab.split())
        assert solution.encode(word, known, max_chars) == tokenized(word, known, max_chars), word
        assert grader.pieces(word, known, max_chars) == tokenized(word, known, max_chars), word


@pytest.mark.parametrize("text", [corpus.ENGLISH, corpus.CHINESE], ids=["English", "Chinese"])
def test_words_of_a_text(kit, text):
    solution, _ = kit("tokenization/wordpiece")
    draw = random.Random(0)
    words = text.split()
    for _ in range(20):
        parts = [draw.choice(words)[: draw.randint(1, 5)] for _ in range(60)]
        vocab = {
            *text,
            *parts,
            *("##" + sign for sign in text if draw.random() < 0.97),
            *("##" + part[1:] for part in parts),
        } - {"##"}
        for word in words:
            assert solution.encode(word, vocab, 30) == tokenized(word, vocab, 30)
