"""tokenization/byte_level_bpe against tokenizers (pairs have ranks, as in GPT-2) and tiktoken (tokens have ranks)."""

import random
import unicodedata

import pytest
import tiktoken
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers.convert_slow_tokenizer import bytes_to_unicode

from clozekit.grading import corpus

GPT2 = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""  # as tiktoken has it
SPELT = bytes_to_unicode()

# Python's re has no \p{N}: ² and Ⅷ are letters of its \w, numbers of GPT-2. Its \s knows \x1c to \x1f, which the others do not.
ELSEWHERE = ["²Ⅷ½", "a\x1c"]


@pytest.fixture
def texts(kit):
    _, grader = kit("tokenization/byte_level_bpe")
    drawn = [corpus.excerpt(80) + "".join(map(chr, range(start, start + 60))) for start in range(0x21, 0x3100, 977)]
    texts = [*grader.TEXTS.values(), corpus.ENGLISH, corpus.CHINESE, *drawn]
    return ["".join(sign for sign in text if not is_elsewhere(sign)) for text in texts]


def is_elsewhere(sign):
    return sign in "\x1c\x1d\x1e\x1f" or unicodedata.category(sign) in ("No", "Nl")


def tokenizer(merges):
    def spell(token):
        return "".join(SPELT[byte] for byte in token)

    vocab = {SPELT[byte]: byte for byte in range(256)} | {spell(a + b): 256 + i for i, (a, b) in enumerate(merges)}
    found = Tokenizer(BPE(vocab, [(spell(a), spell(b)) for a, b in merges]))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    return found


def encoding(merges):
    ranks = {bytes([byte]): byte for byte in range(256)} | {a + b: 256 + i for i, (a, b) in enumerate(merges)}
    return tiktoken.Encoding("kit", pat_str=GPT2, mergeable_ranks=ranks, special_tokens={})


def test_tokenizers_and_tiktoken_give_the_same_ids(kit, texts):
    solution, grader = kit("tokenization/byte_level_bpe")
    merges = grader.learned()
    ours, theirs, tik = solution.ByteBPE(merges), tokenizer(merges), encoding(merges)
    for text in texts:
        ids = ours.encode(text)
        assert ids == theirs.encode(text).ids == tik.encode(text) == grader.encode(merges, text), text
        assert ours.decode(ids) == tik.decode(ids) == text


def test_merges_in_any_order(kit, texts):
    """tiktoken knows no pairs: where two other tokens make a known one, it merges them as well."""
    solution, grader = kit("tokenization/byte_level_bpe")
    draw = random.Random(1)
    for text in texts:
        merges = draw.sample(grader.learned(), 150)
        assert solution.ByteBPE(merges).encode(text) == tokenizer(merges).encode(text).ids


def test_any_ids_decode_alike(kit):
    solution, grader = kit("tokenization/byte_level_bpe")
    merges = grader.learned()
    draw = random.Random(2)
    for _ in range(200):
        ids = draw.choices(range(256 + len(merges)), k=12)
        assert solution.ByteBPE(merges).decode(ids) == encoding(merges).decode(ids) == grader.decode(merges, ids)


@pytest.mark.parametrize("text", ELSEWHERE)
def test_what_the_pattern_in_re_takes_for_something_else_comes_back_all_the_same(kit, text):
    solution, grader = kit("tokenization/byte_level_bpe")
    ours = solution.ByteBPE(grader.learned())
    assert ours.decode(ours.encode(text)) == text
