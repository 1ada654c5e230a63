import random
from functools import cache
from heapq import heapify, heappop, heappush
from itertools import pairwise

import pytest

from clozekit.grading import corpus, mistake, reference

# The word, and the pairs in the order in which they were learned.
CASES = {
    "the lowest rank goes first": ("lower", "e r, l o, lo w, low er"),
    "a rank beats a longer token": ("abcd", "b c, a b, ab c, abc d, c d"),
    "a rank beats a frequent pair": ("abcabdab", "c a, a b, d a"),
    "merges build on merges": ("newest", "e s, es t, n e, ne w, new est"),
    "a merge makes a lower rank": ("xabxabab", "c d, ab x, ab a, a b, x ab"),
    "a new token and its left neighbour": ("xyab", "a b, y ab, x yab"),
    "a new token and its right neighbour": ("abyx", "a b, ab y, aby x"),
    "neighbours across a gap": ("abcdefgh", "c d, cd e, e f, b cde, f g, bcde fg, a bcdefg"),
    "a run of one letter": ("aaaaaaaaaaa", "a a, aa aa, aaaa aa"),
    "overlapping pairs": ("aaabab", "a a, a b, b a"),
    "every occurrence": ("tattatatta", "t a, ta t, tat ta"),
    "characters that no merge knows": ("q¿low¡q\x00low", "l o, lo w"),
    "spaces": (" to be  or\tnot\n", "t o, o r, n o, o t,   o"),
    "Chinese": ("学而时习之不亦说乎", "学 而, 而 时, 时 习, 不 亦, 习 之, 说 乎, 不亦 说乎"),
    "emoji": ("👍🏽👍👩‍👩‍👧👍🏽", "👍 🏽, 👩 \u200d, 👩\u200d 👩\u200d"),
    "capitals and accents stay as they are": ("eEée\u0301É", "e E, e é, E é, e \u0301"),
    "signs that serve as marks": ("a</w>##b@@▁a", "w >, < /, # #, @ @, ▁ a"),
    "one character": ("a", "a a"),
    "empty word": ("", "a a"),
    "no merges": ("abc", ""),
}

WORDS = {"short word": (280, 320), "long word": (1100, 1250)}  # characters; drawn, so that no length is known


def ranks_of(pairs):
    """Pairs separated by a comma and a space, their tokens by the last space that leaves something on both sides."""
    return {tuple(pair.rsplit(" ", 1)): rank for rank, pair in enumerate(pairs.split(", ") if pairs else [])}


@cache
def learned(text, number):
    """What a BPE learns from a text whose words reach over spaces: sequences of 12 characters."""
    return corpus.merges([text[i : i + 12] for i in range(0, len(text), 12)], number)


def ranks(text, number):
    return {pair: rank for rank, pair in enumerate(learned(text, number))}


@pytest.mark.parametrize("case", CASES)
def test_tokens(check, case):
    word, pairs = CASES[case]
    check("bpe_encode", word, ranks_of(pairs))


def test_a_novel(check):
    for text in (corpus.ENGLISH, corpus.CHINESE):
        check("bpe_encode", corpus.excerpt(90, text), ranks(text, 120))


@pytest.mark.parametrize("case", WORDS)
def test_growth_of_the_work(check, case):
    check(
        "bpe_encode",
        corpus.excerpt(random.randint(*WORDS[case]), corpus.ENGLISH),
        ranks(corpus.ENGLISH, 320),
        measured=True,
    )


@pytest.mark.hidden
def test_words_drawn_anew(check):
    """Merges in an order that no training would learn; then a long run of few letters."""
    for letters in ("ab", "abc", "字ab", "ab 好"):
        words = ["".join(random.choices(letters, k=random.randint(9, 14))) for _ in range(8)]
        found = corpus.merges(words, random.randint(12, 20))
        random.shuffle(found)
        for word in (words[0], "".join(random.choices(letters + "z", k=random.randint(20, 60)))):
            check("bpe_encode", word, {pair: rank for rank, pair in enumerate(found)})
    word = "".join(random.choices("ab", weights=[9, 1], k=random.randint(300, 500)))
    check("bpe_encode", word, {pair: rank for rank, pair in enumerate(corpus.merges([word], random.randint(20, 40)))})


@reference("bpe_encode")
def definition(word, ranks):
    tokens = list(word)
    while found := [(ranks[pair], i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]:
        _, i = min(found)
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return tokens


@mistake("bpe_encode")
def longest_first(word, ranks):
    known = {left + right for left, right in ranks}
    tokens, start = [], 0
    while start < len(word):
        end = next((end for end in range(len(word), start, -1) if word[start:end] in known), start + 1)
        tokens.append(word[start:end])
        start = end
    return tokens


@mistake("bpe_encode")
def leftmost_first(word, ranks):
    tokens = list(word)
    while found := [i for i, pair in enumerate(pairwise(tokens)) if pair in ranks]:
        i = found[0]
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return tokens


@mistake("bpe_encode")
def highest_rank_first(word, ranks):
    tokens = list(word)
    while found := [(-ranks[pair], i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]:
        _, i = min(found)
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return tokens


@mistake("bpe_encode")
def most_frequent_first(word, ranks):
    tokens = list(word)
    while pairs := [pair for pair in pairwise(tokens) if pair in ranks]:
        best = max(pairs, key=pairs.count)
        i = list(pairwise(tokens)).index(best)
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return tokens


@mistake("bpe_encode")
def all_occurrences_at_once(word, ranks):
    tokens = list(word)
    while pairs := [pair for pair in pairwise(tokens) if pair in ranks]:
        best, rest, tokens = min(pairs, key=ranks.get), tokens, []
        while rest:
            size = 2 if tuple(rest[:2]) == best else 1
            tokens.append("".join(rest[:size]))
            rest = rest[size:]
    return tokens


@mistake("bpe_encode")
def ties_from_the_right(word, ranks):
    tokens = list(word)
    while found := [(ranks[pair], -i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]:
        i = -min(found)[1]
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return tokens


@mistake(blank="pop")
def trusts_the_heap(heap, right):
    rank, i = heappop(heap)
    j = right[i]
    fresh = True


@mistake(blank="pop")
def only_looks_whether_they_live(heap, right, tokens):
    rank, i = heappop(heap)
    j = right[i]
    fresh = tokens[i] and tokens[j]


@mistake(blank="push")
def forgets_the_left_neighbour(heap, right, tokens, i, ranks):
    pair = tokens[i], tokens[right[i]]
    if pair in ranks:
        heappush(heap, (ranks[pair], i))


@mistake(blank="push")
def forgets_the_right_neighbour(heap, left, tokens, i, ranks):
    pair = tokens[left[i]], tokens[i]
    if pair in ranks:
        heappush(heap, (ranks[pair], left[i]))


@mistake(blank="merge")
def left_neighbour_is_gone(tokens, right, i, j):
    tokens[i] += tokens[j]
    tokens[j] = ""
    right[i] = right[j]


@mistake("bpe_encode")
def every_merge_once(word, ranks):
    tokens = list(word)
    for pair in sorted(ranks, key=ranks.get):
        pairs = list(pairwise(tokens))
        if pair in pairs:
            i = pairs.index(pair)
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return tokens


@mistake("bpe_encode")
def goes_through_the_merges_once(word, ranks):
    tokens = list(word)
    for pair in sorted(ranks, key=ranks.get):
        i = 0
        while i < len(tokens) - 1:
            if tuple(tokens[i : i + 2]) == pair:
                tokens[i : i + 2] = ["".join(pair)]
            i += 1
    return tokens


@mistake(blank="start")
def knows_every_pair(word, ranks):
    heap = [(ranks[pair], i) for i, pair in enumerate(pairwise(word))]
    heapify(heap)


@mistake("bpe_encode")
def drops_unknown_characters(word, ranks):
    known = set("".join(left + right for left, right in ranks))
    tokens = [character for character in word if character in known]
    while found := [(ranks[pair], i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]:
        _, i = min(found)
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return tokens


@mistake("bpe_encode")
def marks_the_end(word, ranks):
    tokens = [*word[:-1], word[-1:] + "</w>"]
    while found := [(ranks[pair], i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]:
        _, i = min(found)
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return tokens


@mistake("bpe_encode")
def encodes_bytes(word, ranks):
    tokens = [chr(byte) for byte in word.encode()]
    while found := [(ranks[pair], i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]:
        _, i = min(found)
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return tokens


@mistake("bpe_encode")
def looks_at_all_pairs(word, ranks):
    tokens = list(word)
    while True:
        best = None
        for i, pair in enumerate(pairwise(tokens)):
            rank = ranks.get(pair)
            if rank is not None and (best is None or rank < best[0]):
                best = rank, i
        if best is None:
            return tokens
        i = best[1]
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
