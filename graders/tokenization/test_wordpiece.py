import random
from collections import Counter
from functools import cache
from itertools import pairwise

import pytest

from clozekit.grading import mistake, reference

# Words of a text, cut into pieces, and how often each occurs. Pieces are separated by spaces, words by commas.
TEXTS = {
    "a rare pair that always stands together": "q ##u ##e ##e ##n 2, t ##h ##e 40, t ##h ##e ##n 9, e ##n ##d 20",
    "a word counts as often as it occurs": "a ##b 9, a ##c 1, d ##b 1, d ##c 2, e ##c 5, e ##b 3",
    "marked pieces are others": "a ##b 4, a ##c 3, b ##a 2, ##a 40, c ##b 2, c 3",
    "pieces that stand alone count": "a ##b 3, a 20, c ##d 2, c 1, ##d 1, ##b 5",
    "a piece several times in a word": "a ##b ##b ##b ##b 3, a ##c 1, d ##c ##c 4, d ##b ##a 1",
    "a pair that overlaps itself": "a ##b ##b ##b ##b 1, a ##e 7, d ##c 6, a ##x ##y 2, a ##y ##x 2",
    "the product divides": "a ##b 6, a ##c 3, d ##b 20, e ##c 12, f ##d 1, f 9, ##d 1, a 1",
    "Chinese": "学 ##而 5, 学 ##习 2, ##习 1, 不 ##亦 3, 不 ##知 2, 不 8, 君 ##子 2, ##子 9",
    "one pair": "a ##a 1",
    "single pieces only": "a 4, b 2",
    "no words": "",
}

# The word, the pieces, and how many characters it may have.
WORDS = {
    "a whole word": ("able", "able ab ##le a", 100),
    "the longest goes first": ("unaffable", "u un una ##a ##aff ##affa ##ble ##f ##fable ##able ##ffable", 100),
    "marks within the word": ("undo", "un un do ##do und ##o undo_", 100),
    "the same letters twice": ("papapapa", "pa ##pa papa ##papapa", 100),
    "no way back": ("unable", "un una ##able ##bl", 100),
    "an unknown end": ("doing?", "do ##ing ##i", 100),
    "an unknown start": ("¿do", "##do do", 100),
    "an unknown middle": ("do¿do", "do ##do ##d", 100),
    "known only within words": ("able", "##able ##ab ##le able_", 100),
    "known only at the start": ("doable", "do able", 100),
    "a number sign": ("c#", "c ### #", 100),
    "Chinese": ("不亦说乎", "不亦 不 ##亦 ##说 说 ##说乎", 100),
    "emoji": ("👍🏽👍", "👍 ##🏽 ##👍", 100),
    "accents apart": ("e\u0301e", "e ##\u0301 ##e é ##é", 100),
    "capitals stay as they are": ("Undo", "un Un ##do ##Do undo", 100),
    "as long as it may be": ("好好学习", "好好 ##学习", 4),
    "longer than it may be": ("好好学习呀", "好好 ##学习 ##呀 好好学习呀", 4),
    "one character": ("a", "a ##a", 1),
    "empty word": ("", "a ##a", 100),
}


@cache
def words_of(text):
    cut = [line.strip().rpartition(" ") for line in text.split(",") if line]
    return {tuple(pieces.split()): int(times) for pieces, _, times in cut}


def marked(parts):
    return (parts[0], *("##" + part for part in parts[1:]))


def is_clear(words):
    """Whether the best score is far enough above the next one that no rounding exchanges them."""
    ranked = sorted(scores(words).values())
    return len(ranked) < 2 or ranked[-1] > 1.001 * ranked[-2]


@pytest.mark.parametrize("case", TEXTS)
def test_merge(check, case):
    assert is_clear(words_of(TEXTS[case]))
    check("best_pair", words_of(TEXTS[case]))


@pytest.mark.parametrize("case", WORDS)
def test_pieces(check, case):
    word, vocab, most = WORDS[case]
    check("encode", word, set(vocab.split()), most)


def test_a_hundred_characters_by_default(check):
    for length in (100, 101):
        check("encode", "a" * length, {"a", "##a", "##aaa"})


@pytest.mark.hidden
def test_words_and_pieces_drawn_anew(check):
    """Of single letters and of longer parts; then words of the same letters, known and unknown."""
    for signs in ("abc", "abc好", "aé字"):
        words = {}
        while not words or not is_clear(words):
            found = [
                marked(
                    ["".join(random.choices(signs, k=random.choice([1, 1, 2]))) for _ in range(random.randint(1, 5))]
                )
                for _ in range(12)
            ]
            words = {word: random.randint(1, 30) for word in found}
        check("best_pair", words)
        vocab = {piece for word in words for piece in word} | set(random.sample(list(signs), len(signs) - 1))
        for _ in range(6):
            word = "".join(random.choices(signs, k=random.randint(1, 9)))
            for known in (vocab, {word}):  # whoever remembers words has to forget this one
                check("encode", word, known, random.choice([5, 8, 100]))


def scores(words):
    pieces, pairs = Counter(), Counter()
    for word, times in words.items():
        pieces.update({piece: times * word.count(piece) for piece in set(word)})
        pairs.update({pair: times * list(pairwise(word)).count(pair) for pair in set(pairwise(word))})
    return {(a, b): times / (pieces[a] * pieces[b]) for (a, b), times in pairs.items()}


@reference("best_pair")
def best(words):
    found = scores(words)
    return next((pair for pair in found if found[pair] == max(found.values())), None)


@reference("encode")
def pieces(word, vocab, max_chars=100):
    found, rest, mark = [], word, ""
    while rest:
        lengths = [n for n in range(1, len(rest) + 1) if mark + rest[:n] in vocab]
        if not lengths or len(word) > max_chars:
            return ["[UNK]"]
        found.append(mark + rest[: max(lengths)])
        rest, mark = rest[max(lengths) :], "##"
    return found


@mistake(blank="choose")
def most_frequent_pair(pairs):
    return max(pairs, key=pairs.get, default=None)


@mistake(blank="choose")
def smallest_score(pairs, pieces):
    return min(pairs, key=lambda pair: pairs[pair] / (pieces[pair[0]] * pieces[pair[1]]), default=None)


@mistake(blank="choose")
def divides_by_the_sum(pairs, pieces):
    return max(pairs, key=lambda pair: pairs[pair] / (pieces[pair[0]] + pieces[pair[1]]), default=None)


@mistake(blank="choose")
def divides_by_the_first(pairs, pieces):
    return max(pairs, key=lambda pair: pairs[pair] / pieces[pair[0]], default=None)


@mistake("best_pair")
def whole_gain(words):
    from math import log

    pieces, pairs = Counter(), Counter()
    for word, times in words.items():
        for piece in word:
            pieces[piece] += times
        for pair in pairwise(word):
            pairs[pair] += times
    total = pieces.total()
    return max(
        pairs,
        key=lambda pair: pairs[pair] * log(pairs[pair] * total / (pieces[pair[0]] * pieces[pair[1]])),
        default=None,
    )


@mistake(blank="count")
def each_word_once(words):
    pieces, pairs = Counter(), Counter()
    for word in words:
        pieces.update(word)
        pairs.update(pairwise(word))


@mistake("best_pair")
def counts_in_pairs_only(words):
    firsts, seconds, pairs = Counter(), Counter(), Counter()
    for word, times in words.items():
        for first, second in pairwise(word):
            firsts[first] += times
            seconds[second] += times
            pairs[first, second] += times
    return max(pairs, key=lambda pair: pairs[pair] / (firsts[pair[0]] * seconds[pair[1]]), default=None)


@mistake(blank="count")
def each_piece_once_a_word(words):
    pieces, pairs = Counter(), Counter()
    for word, times in words.items():
        for piece in set(word):
            pieces[piece] += times
        for pair in pairwise(word):
            pairs[pair] += times


@mistake(blank="count")
def overlaps_once(words):
    pieces, pairs = Counter(), Counter()
    for word, times in words.items():
        for piece in word:
            pieces[piece] += times
        i = 0
        while i < len(word) - 1:
            pairs[word[i : i + 2]] += times
            i += 2 if word[i : i + 2] == word[i + 1 : i + 3] else 1


@mistake("best_pair")
def takes_off_the_marks(words):
    pieces, pairs = Counter(), Counter()
    for word, times in words.items():
        for piece in word:
            pieces[piece.removeprefix("##")] += times
        for pair in pairwise(word):
            pairs[pair] += times

    def often(piece):
        return pieces[piece.removeprefix("##")]

    return max(pairs, key=lambda pair: pairs[pair] / (often(pair[0]) * often(pair[1])), default=None)


@mistake(blank="choose")
def expects_a_pair_always(pairs, pieces):
    return max(pairs, key=lambda pair: pairs[pair] / (pieces[pair[0]] * pieces[pair[1]]))


@mistake(blank="choose")
def returns_the_new_piece(pairs, pieces):
    if not pairs:
        return None
    first, second = max(pairs, key=lambda pair: pairs[pair] / (pieces[pair[0]] * pieces[pair[1]]))
    return first + second.removeprefix("##")


@mistake(blank="candidates")
def forgets_the_marks(word, start):
    candidates = [(word[start:end], end) for end in range(len(word), start, -1)]


@mistake(blank="candidates")
def marks_the_first_piece(word, start):
    candidates = [("##" + word[start:end], end) for end in range(len(word), start, -1)]


@mistake(blank="candidates")
def shortest_first(word, start):
    prefix = "##" if start else ""
    candidates = [(prefix + word[start:end], end) for end in range(start + 1, len(word) + 1)]


@mistake("encode")
def from_the_right(word, vocab, max_chars=100):
    if len(word) > max_chars:
        return ["[UNK]"]
    found, end = [], len(word)
    while end > 0:
        known = [start for start in range(end) if ("##" if start else "") + word[start:end] in vocab]
        if not known:
            return ["[UNK]"]
        found.insert(0, ("##" if known[0] else "") + word[known[0] : end])
        end = known[0]
    return found


@mistake("encode")
def tries_shorter_pieces(word, vocab, max_chars=100):
    def search(start):
        if start == len(word):
            return []
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocab:
                rest = search(end)
                if rest is not None:
                    return [piece, *rest]
        return None

    if len(word) > max_chars:
        return ["[UNK]"]
    found = search(0)
    return ["[UNK]"] if found is None else found


@mistake(blank="match")
def keeps_what_was_found(candidates, vocab, found, word):
    known = [(piece, end) for piece, end in candidates if piece in vocab]
    if not known:
        return [*found, "[UNK]"]
    piece, start = known[0]
    found.append(piece)


@mistake(blank="match")
def unknown_characters(candidates, vocab, found, start):
    known = [(piece, end) for piece, end in candidates if piece in vocab]
    piece, start = known[0] if known else ("[UNK]", start + 1)
    found.append(piece)


@mistake(blank="too_long")
def ignores_the_length():
    pass


@mistake(blank="too_long")
def too_long_too_early(word, max_chars):
    if len(word) >= max_chars:
        return ["[UNK]"]


@mistake(blank="too_long")
def counts_bytes(word, max_chars):
    if len(word.encode()) > max_chars:
        return ["[UNK]"]


@mistake("encode")
def empty_is_unknown(word, vocab, max_chars=100):
    if not 0 < len(word) <= max_chars:
        return ["[UNK]"]
    found, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocab:
                found.append(piece)
                start = end
                break
        else:
            return ["[UNK]"]
    return found
