"""tokenization/bpe_encode against the library that most tokenizers are made with."""

import random

import pytest
from tokenizers.models import BPE

from clozekit.grading import corpus

MERGES = corpus.merges([corpus.ENGLISH[i : i + 12] for i in range(0, 1300, 12)], 320)


def tokenized(word: str, merges: list[tuple[str, str]]) -> list[str]:
    vocab = {
        token: i
        for i, token in enumerate(
            dict.fromkeys([*word, *(part for pair in merges for part in pair), *map("".join, merges)])
        )
    }
    return [token.value for token in BPE(vocab, merges).tokenize(word)] if word else []


@pytest.mark.parametrize(
    "word", ["", "a", "Alice", "daisy-chain", corpus.ENGLISH, corpus.CHINESE, "👍🏽 it was\u3000it 学而"]
)
def test_words(kit, word):
    solution, grader = kit("tokenization/bpe_encode")
    ranks = {pair: rank for rank, pair in enumerate(MERGES)}
    assert solution.bpe_encode(word, ranks) == grader.definition(word, ranks) == tokenized(word, MERGES)


def test_merges_in_any_order(kit):
    solution, grader = kit("tokenization/bpe_encode")
    draw = random.Random(0)
    for _ in range(300):
        words = ["".join(draw.choices("abc字", k=12)) for _ in range(6)]
        merges = corpus.merges(words, 16)
        draw.shuffle(merges)
        ranks = {pair: rank for rank, pair in enumerate(merges)}
        word = "".join(draw.choices("abc字", k=30))
        assert solution.bpe_encode(word, ranks) == grader.definition(word, ranks) == tokenized(word, merges)
