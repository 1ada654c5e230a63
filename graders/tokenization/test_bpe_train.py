import random
import re
from collections import Counter
from itertools import pairwise

import pytest

from clozekit.grading import mistake, reference

WHITE = "".join(sign for sign in map(chr, range(0x10000)) if sign.isspace())
BLANK = "\ufeff\u200b\u2060\u180e"  # looks like white space, and is none

# The text and how many merges. Between line breaks, which are pre-tokens of one byte, stands one word at a time.
CASES = {
    "low lower newest widest": ("low" + " low" * 4 + " lower" * 2 + " newest" * 6 + " widest" * 3, 12),
    "words keep their borders": ("xa bx ab bxa\nab\nxb", 8),
    "a word counts as often as it occurs": ("the\nthe\nthe\nan\nand\nant", 4),
    "spaces belong to the next word": ("a cat a cab  a  can", 10),
    "runs of whitespace": ("a\t\tb\n\n\n\nc\r\n\r\n  d   \n", 8),
    "whitespace only": ("    \n\n\n\t ", 10),
    "ideographic spaces": ("你好\u3000世界\u3000你好\u3000\u3000世界", 20),
    "ties": ("zx\nab\nma", 3),
    "a tie with a new token": ("ab\nab\nabc\nabc\nxy\nxy", 3),
    "a tie between prefixes": ("ab\nab\nab\naba\naba\naz\naz", 3),
    "a run of one letter": ("aaaaaaa", 10),
    "overlapping pairs": ("aaa\nbc", 1),
    "a pair twice in a word": ("ababab cdcd", 10),
    "new pairs win at once": ("abcdabcd\nabc\nbcd\ncd", 6),
    "old pairs fall": ("abc\nabc\nbc\nbc\nbc\nabd\nab", 5),
    "spaces of other kinds": ("a\xa0b a\u2028b\x1fa\x85b \u2003 c\x0bd", 12),
    "white space of every kind": ("".join(f"a{sign}b" for sign in WHITE), 60),
    "signs that only look like white space": ("".join(f"{sign}a{sign}b {sign}" for sign in BLANK), 40),
    "capitals and accents stay as they are": ("Eh eh EH é e\u0301 E\u0301 é", 12),
    "signs that serve as borders": ("a|b a|b \x00\x00a \x00\x00a </w> ##a @@ </w> Ġ▁ Ġ▁", 24),
    "Chinese": ("今天天气真好，明天天气也好。", 12),
    "emoji": ("👍👍🏽 👍 👩‍👩‍👧 👍🏽", 16),
    "more merges than pairs": ("abc", 10),
    "one letter": ("a", 3),
    "empty text": ("", 3),
    "no merges": ("low low low", 0),
}


def page(words):
    """A text of that many words over a small vocabulary, the n-th of which is n times rarer than the first."""
    syllables = ["ba", "na", "an", "tion", "re", "the", "ing", "st", "é", "字", "好"]
    vocabulary = ["".join(random.choices(syllables, k=random.randint(1, 4))) for _ in range(words // 10)]
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]
    ends = random.choices([" ", ", ", ".\n", "  "], weights=[12, 2, 1, 1], k=words)
    return "".join(word + end for word, end in zip(random.choices(vocabulary, weights, k=words), ends, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_merges(check, case):
    check("train_bpe", *CASES[case])


def test_a_page(check):
    """Small enough for counting everything again after each merge."""
    check("train_bpe", page(1000), 60)


def test_growth_of_the_work(check):
    for doubled in (1, 2):
        check("train_bpe", page(150 * doubled), 20 * doubled, measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """A long text and many merges; then one without a page's words, merged until no pair is left."""
    check("train_bpe", page(random.randint(1800, 2200)), random.randint(61, 90))
    rare = ["".join(random.choices("abcde字é", k=random.randint(2, 6))) for _ in range(12)]
    check("train_bpe", "".join(rare[:2]) * random.randint(90, 120) + "\n" + " ".join(rare), random.randint(150, 200))


@reference("train_bpe")
def definition(text, num_merges):
    words = Counter(tuple(bytes([byte]) for byte in match[0].encode()) for match in re.finditer(r" ?\S+|\s+", text))
    merges = []
    for _ in range(num_merges):
        counts = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                counts[pair] += times
        if not counts:
            return merges
        highest = max(counts.values())
        merges.append(max(pair for pair, count in counts.items() if count == highest))
        words = Counter({tuple(joined(word, merges[-1])): times for word, times in words.items()})
    return merges


def joined(word, pair):
    tokens, i = [], 0
    while i < len(word):
        found = tuple(word[i : i + 2]) == pair
        tokens.append(b"".join(pair) if found else word[i])
        i += 2 if found else 1
    return tokens


@mistake(blank="split")
def merges_across_words(text):
    pretokens = Counter([text])
    words = [[bytes([byte]) for byte in pretoken.encode()] for pretoken in pretokens]
    times = list(pretokens.values())


@mistake(blank="split")
def drops_whitespace(text):
    pretokens = Counter(text.split())
    words = [[bytes([byte]) for byte in pretoken.encode()] for pretoken in pretokens]
    times = list(pretokens.values())


@mistake(blank="split")
def spaces_on_their_own(text):
    pretokens = Counter(re.findall(r"\S+|\s+", text))
    words = [[bytes([byte]) for byte in pretoken.encode()] for pretoken in pretokens]
    times = list(pretokens.values())


@mistake(blank="split")
def drops_runs_of_whitespace(text):
    pretokens = Counter(re.findall(r" ?\S+", text))
    words = [[bytes([byte]) for byte in pretoken.encode()] for pretoken in pretokens]
    times = list(pretokens.values())


@mistake(blank="split")
def splits_the_bytes(text):
    pretokens = Counter(re.findall(rb" ?\S+|\s+", text.encode()))
    words = [[bytes([byte]) for byte in pretoken] for pretoken in pretokens]
    times = list(pretokens.values())


@mistake(blank="split")
def characters_instead_of_bytes(text):
    pretokens = Counter(re.findall(r" ?\S+|\s+", text))
    words = [[character.encode() for character in pretoken] for pretoken in pretokens]
    times = list(pretokens.values())


@mistake(blank="split")
def each_word_once(text):
    pretokens = Counter(re.findall(r" ?\S+|\s+", text))
    words = [[bytes([byte]) for byte in pretoken.encode()] for pretoken in pretokens]
    times = [1] * len(words)


@mistake("train_bpe")
def overlaps_count_once(text, num_merges):
    words = [[bytes([byte]) for byte in pretoken.encode()] for pretoken in re.findall(r" ?\S+|\s+", text)]
    merges = []
    while len(merges) < num_merges:
        counts = Counter()
        for word in words:
            last, end = None, 0
            for i, pair in enumerate(pairwise(word)):
                if pair != last or i >= end:
                    counts[pair] += 1
                    last, end = pair, i + 2
        if not counts:
            break
        merges.append(max(counts, key=lambda pair: (counts[pair], pair)))
        words = [joined(word, merges[-1]) for word in words]
    return merges


@mistake(blank="choose")
def ties_to_the_least(counts, merges):
    if not counts:
        return merges
    best = min(counts, key=lambda pair: (-counts[pair], pair))
    merges.append(best)


@mistake(blank="choose")
def ties_to_the_first_counted(counts, merges):
    if not counts:
        return merges
    best = max(counts, key=counts.get)
    merges.append(best)


@mistake(blank="choose")
def ties_to_the_first_in_the_text(counts, merges, words):
    if not counts:
        return merges
    best = max((pair for word in words for pair in pairwise(word)), key=counts.get)
    merges.append(best)


@mistake(blank="choose")
def ties_by_token_number(counts, merges):
    if not counts:
        return merges
    numbers = {left + right: 256 + i for i, (left, right) in enumerate(merges)}
    best = max(counts, key=lambda pair: (counts[pair], [numbers.get(token, token[0]) for token in pair]))
    merges.append(best)


@mistake(blank="choose")
def ties_by_joined_bytes(counts, merges):
    if not counts:
        return merges
    best = max(counts, key=lambda pair: (counts[pair], pair[0] + pair[1], pair))
    merges.append(best)


@mistake(blank="choose")
def ignores_the_count(counts, merges):
    if not counts:
        return merges
    best = max(counts)
    merges.append(best)


@mistake(blank="choose")
def wordpiece_score(counts, merges, words, times):
    if not counts:
        return merges
    tokens = Counter()
    for word, often in zip(words, times, strict=True):
        for token in word:
            tokens[token] += often
    best = max(counts, key=lambda pair: (counts[pair] / (tokens[pair[0]] * tokens[pair[1]]), pair))
    merges.append(best)


@mistake(blank="choose")
def stops_at_one(counts, merges):
    if not counts or max(counts.values()) == 1:
        return merges
    best = max(counts, key=lambda pair: (counts[pair], pair))
    merges.append(best)


@mistake(blank="choose")
def expects_a_pair_always(counts, merges):
    best = max(counts, key=lambda pair: (counts[pair], pair))
    merges.append(best)


@mistake("train_bpe")
def merges_at_least_once(text, num_merges):
    words = [[bytes([byte]) for byte in pretoken.encode()] for pretoken in re.findall(r" ?\S+|\s+", text)]
    merges = []
    while counts := Counter(pair for word in words for pair in pairwise(word)):
        merges.append(max(counts, key=lambda pair: (counts[pair], pair)))
        words = [joined(word, merges[-1]) for word in words]
        if len(merges) >= num_merges:
            break
    return merges


@mistake(blank="choose")
def returns_joined_tokens(counts, merges):
    if not counts:
        return merges
    best = max(counts, key=lambda pair: (counts[pair], pair))
    merges.append(best[0] + best[1])


@mistake("train_bpe")
def returns_token_numbers(text, num_merges):
    words = [list(pretoken.encode()) for pretoken in re.findall(r" ?\S+|\s+", text)]
    spelling = {byte: bytes([byte]) for byte in range(256)}
    merges = []
    while len(merges) < num_merges:
        counts = Counter(pair for word in words for pair in pairwise(word))
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], [spelling[number] for number in pair]))
        new = 256 + len(merges)
        spelling[new] = spelling[best[0]] + spelling[best[1]]
        merges.append(best)
        for word in words:
            for i in range(len(word) - 1):
                if tuple(word[i : i + 2]) == best:
                    word[i : i + 2] = [new]
    return merges


@mistake(blank="update")
def counts_only_once(counts, best):
    del counts[best]


@mistake(blank="update")
def old_pairs_stay(counts, homes, words, times, best):
    for i in homes.pop(best):
        words[i] = joined(words[i], best)
        for pair in pairwise(words[i]):
            if best[0] + best[1] in pair:
                counts[pair] += times[i]
                homes[pair].add(i)
    del counts[best]


@mistake(blank="update")
def updates_by_one(counts, homes, words, times, best):
    for i in homes.pop(best):
        for pair in pairwise(words[i]):
            counts[pair] -= times[i]
        words[i] = joined(words[i], best)
        for pair in pairwise(words[i]):
            counts[pair] += 1
            homes[pair].add(i)
    counts = +counts


@mistake(blank="join")
def joins_from_the_right(word, pair):
    tokens = []
    for token in reversed(word):
        if tokens and (token, tokens[0]) == pair:
            tokens[0] = token + tokens[0]
        else:
            tokens.insert(0, token)
    return tokens


@mistake(blank="join")
def joins_the_first_only(word, pair):
    i = list(pairwise(word)).index(pair)
    return [*word[:i], pair[0] + pair[1], *word[i + 2 :]]


@mistake(blank="join")
def second_token_stays(word, pair):
    tokens = []
    for i, token in enumerate(word):
        tokens.append(pair[0] + pair[1] if tuple(word[i : i + 2]) == pair else token)
    return tokens
