"""The text that graders share, and the BPE that they learn from it."""

import random

import pytest

from clozekit.grading.corpus import CHINESE, ENGLISH, excerpt, merges


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_an_excerpt_is_as_long_as_asked_and_the_whole_text_at_most(text):
    assert excerpt(len(text), text) == text
    assert all(len(part := excerpt(7, text)) == 7 and part in text for _ in range(50))


def test_the_seed_draws_the_excerpt():
    random.seed(3)
    first = excerpt(40)
    random.seed(3)
    assert excerpt(40) == first != excerpt(40)


def test_the_most_frequent_pair_merges_first_and_of_several_the_greatest():
    assert merges(["low", "lower", "lower"], 3) == [("o", "w"), ("l", "ow"), ("low", "e")]
    assert merges(["ab", "cd"], 9) == [("c", "d"), ("a", "b")]
    assert merges(["ab", "cd", "ab"], 9) == [("a", "b"), ("c", "d")]
    assert merges([[b"a", b"b", b"a", b"b"]], 2) == [(b"a", b"b"), (b"ab", b"ab")]


def test_joins_from_left_to_right():
    assert merges(["aaa"], 2) == [("a", "a"), ("aa", "a")]
