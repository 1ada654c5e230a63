import random
from collections import Counter, defaultdict
from functools import cache
from math import exp, fsum, inf, log

import pytest

from clozekit.grading import corpus, mistake, reference

# The text, and each piece with the number whose negative is its logp.
TEXTS = {
    "the largest sum": ("unable", "u 5, n 5, a 4, b 6, l 5, e 3, un 4, able 7.5, una 4.5, ble 6.3"),
    "no greedy start": ("abcd", "abc 2, d 9, ab 3, cd 4, a 1, b 8, c 8"),
    "many probable pieces": ("aabbab", "a 1, b 1.25, aab 4.5, bab 4, aabbab 9"),
    "a run of one letter": ("aaaaaa", "a 2.5, aa 3.25, aaa 4"),
    "a piece of the whole text": (
        "uncharacteristically",
        "uncharacteristically 8, un 3, characteristically 6, character 4, istic 2.5, ally 1.5",
    ),
    "spaces": ("to be or", "to 3,   4, be 3.5, or 4.25,  be 4.5,  or 9, t 6, o 5, b 5, e 4, r 6"),
    "Chinese": ("不亦说乎", "不 5, 亦 6, 说 5.5, 乎 4, 不亦 7, 说乎 9, 亦说 8, 不亦说 13.5"),
    "emoji": ("👍🏽👍", "👍 5, 🏽 7, 👍🏽 11, 🏽👍 11.5"),
    "probabilities of one": ("abc", "ab 0, c 0, a 0.5, bc 0.25"),
    "hardly any probability": ("abc", "ab 1e30, c 3e30, a 2e30, bc 1e30"),
    "no way": ("abc", "a 1, b 2, bc_ 1"),
    "no way to the end": ("abcd", "ab 1, abc 2, cd_ 1"),
    "empty text": ("", "a 3"),
}

# Texts and how often each occurs; pieces as above.
CORPORA = {
    "two ways": ("ab 1", "a 1, b 2, ab 2.5"),
    "texts that occur often": ("ab 7, ba 2, bab 1", "a 1, b 1.5, ab 2, ba 3"),
    "a piece twice in a text": ("abab 1, aab 3", "a 2, b 1, ab 2.5"),
    "overlapping pieces": (
        "abcde 2, bcd 3",
        "a 3, b 3, c 2, d 4, e 3, ab 4, bc 4.5, cd 5, de 6, abc 5.5, cde 7, bcd 6",
    ),
    "unused pieces": ("ab 3, bb 1", "a 1, b 2, ab 2.5, c 1, abb 0.5, bbb 2"),
    "dead ends": ("abc 2, bcd 1", "a 0, ab 0.5, bc 3, b 2, cde 1, d 2.5"),
    "Chinese": (
        "不亦说乎 3, 不亦乐乎 2, 不亦君子乎 1",
        "不 4, 亦 4, 说 5, 乐 5, 乎 3, 君 6, 子 5, 不亦 5, 君子 7, 说乎 8, 乐乎 9",
    ),
    "an empty text among others": (" 4, ab 1", "a 1, b 2, ab 2.5"),
}

SIZES = {"short text": (150, 180), "long text": (600, 700)}  # characters; drawn, so that no length is known


def table(text, number):
    entries = [entry.rpartition(" ") for entry in text.split(", ")]
    return {key: number(value) for key, _, value in entries}


def logp_of(pieces):
    return table(pieces, lambda value: -float(value))


@cache
def learned(text):
    """The characters of a text and what a BPE joins of them, with their numbers and a little noise, which leaves no ties."""
    draw = random.Random(len(text))
    parts = [text[i : i + 9] for i in range(0, len(text), 9)]
    pieces = [*sorted(set(text)), *dict.fromkeys(map("".join, corpus.merges(parts, 160)))]
    counts = {piece: text.count(piece) + draw.random() for piece in pieces}
    return {piece: log(count / sum(counts.values())) for piece, count in counts.items()}


def logp(text):
    return dict(learned(text))


@pytest.mark.parametrize("case", TEXTS)
def test_pieces(check, case):
    text, pieces = TEXTS[case]
    check_viterbi(check, text, logp_of(pieces))


def test_a_novel(check):
    for text in (corpus.ENGLISH, corpus.CHINESE):
        check_viterbi(check, corpus.excerpt(100, text), logp(text))


@pytest.mark.parametrize("case", SIZES)
def test_growth_of_the_work(check, case):
    text = corpus.excerpt(random.randint(*SIZES[case]), corpus.ENGLISH)
    check_viterbi(check, text, logp(corpus.ENGLISH), measured=True)


@pytest.mark.parametrize("case", CORPORA)
def test_em(check, case):
    texts, pieces = CORPORA[case]
    check("em_step", table(texts, int), logp_of(pieces))


def test_expectations_of_a_page(check):
    """Of about e^-200 for each hundred characters in English."""
    check(
        "em_step", {corpus.excerpt(480, corpus.ENGLISH): 2, corpus.excerpt(40, corpus.ENGLISH): 5}, logp(corpus.ENGLISH)
    )
    check("em_step", {corpus.CHINESE: 1, corpus.excerpt(20, corpus.CHINESE): 3}, logp(corpus.CHINESE))


@pytest.mark.hidden
def test_texts_drawn_anew(check):
    for signs in ("ab", "abc", "不亦ab"):
        pieces = {"".join(random.choices(signs, k=random.randint(2, 4))) for _ in range(9)} | set(signs)
        drawn = {piece: -random.uniform(0.5, 3) * (1 + len(piece)) for piece in pieces}
        text = "".join(random.choices(signs, k=random.randint(7, 11)))
        while ways(text, drawn) != 1:
            text = "".join(random.choices(signs, k=random.randint(7, 11)))
        check("viterbi", text, drawn)
        check("viterbi", text, {text: -1.0})
        texts = {"".join(random.choices(signs, k=random.randint(1, 8))): random.randint(1, 9) for _ in range(5)}
        check("em_step", texts, drawn)
    text = corpus.excerpt(random.randint(400, 600), corpus.ENGLISH)
    check_viterbi(check, text, logp(corpus.ENGLISH))
    check("em_step", {text: random.randint(1, 3)}, logp(corpus.ENGLISH))


def check_viterbi(check, text, pieces, measured=False):
    assert ways(text, pieces) <= 1
    check("viterbi", text, pieces, measured=measured)


def sums(text, logp):
    """For each place the largest sum of what follows."""
    best = [-inf] * len(text) + [0.0]
    for i in reversed(range(len(text))):
        best[i] = max((logp[p] + best[i + len(p)] for p in prefixes(text, i, logp)), default=-inf)
    return best


def prefixes(text, i, logp):
    return [text[i:j] for j in range(i + 1, min(len(text), i + max(map(len, logp))) + 1) if text[i:j] in logp]


def ways(text, logp):
    """How many ways have the largest sum, as far as rounding can tell."""
    best, found = sums(text, logp), [0] * len(text) + [1]
    for i in reversed(range(len(text))):
        ends = [i + len(p) for p in prefixes(text, i, logp) if logp[p] + best[i + len(p)] > best[i] - 1e-9]
        found[i] = sum(found[end] for end in ends)
    return found[0]


@reference("viterbi")
def most_probable(text, logp):
    best, pieces, i = sums(text, logp), [], 0
    while i < len(text):
        found = prefixes(text, i, logp)
        if best[i] == -inf:
            return None
        pieces.append(max(found, key=lambda piece: logp[piece] + best[i + len(piece)]))
        i += len(pieces[-1])
    return pieces


@reference("em_step")
def expected(corpus, logp):
    """Of a text that is short enough all ways are listed; of a longer one shares are passed on from the left."""
    counts = Counter()
    for text, times in corpus.items():
        for piece, share in (listed if len(text) < 9 else passed_on)(text, logp).items():
            counts[piece] += times * share
    return {piece: log(count / fsum(counts.values())) for piece, count in counts.items() if count}


def listed(text, logp):
    found = list(cuts(text, logp))
    shares = [exp(fsum(logp[piece] for piece in cut)) for cut in found]
    counts = defaultdict(float)
    for cut, share in zip(found, shares, strict=True):
        for piece in cut:
            counts[piece] += share / fsum(shares)
    return counts


def cuts(text, logp):
    if not text:
        yield []
    for piece in prefixes(text, 0, logp) if text else []:
        for rest in cuts(text[len(piece) :], logp):
            yield [piece, *rest]


def passed_on(text, logp):
    """Given that a piece ends at i, the next one is p with a probability of p · P(behind p) / P(from i)."""
    behind = [-inf] * len(text) + [0.0]
    for i in reversed(range(len(text))):
        terms = [logp[p] + behind[i + len(p)] for p in prefixes(text, i, logp)]
        top = max(terms, default=-inf)
        behind[i] = top + log(fsum(exp(term - top) for term in terms)) if top > -inf else -inf
    arrive, counts = [1.0] + [0.0] * len(text), defaultdict(float)
    for i in range(len(text)):
        for piece in prefixes(text, i, logp) if arrive[i] else []:
            share = arrive[i] * exp(logp[piece] + behind[i + len(piece)] - behind[i])
            arrive[i + len(piece)] += share
            counts[piece] += share
    return counts


@mistake("viterbi")
def longest_first(text, logp):
    pieces, begin = [], 0
    while begin < len(text):
        known = [end for end in range(begin + 1, len(text) + 1) if text[begin:end] in logp]
        if not known:
            return None
        pieces.append(text[begin : known[-1]])
        begin = known[-1]
    return pieces


@mistake(blank="step")
def fewest_pieces(best, start, end, longest, text, logp):
    for begin in range(max(0, end - longest), end):
        score = best[begin] - (1 if text[begin:end] in logp else inf)
        if score > best[end]:
            best[end], start[end] = score, begin


@mistake("viterbi")
def best_piece_first(text, logp):
    pieces, begin = [], 0
    while begin < len(text):
        known = [text[begin:end] for end in range(begin + 1, len(text) + 1) if text[begin:end] in logp]
        if not known:
            return None
        pieces.append(max(known, key=logp.get))
        begin += len(pieces[-1])
    return pieces


@mistake("viterbi")
def best_average(text, logp):
    longest = max(map(len, logp))
    best = [{0: (0.0, [])}] + [{} for _ in text]
    for end in range(1, len(text) + 1):
        for begin in range(max(0, end - longest), end):
            piece = text[begin:end]
            for number, (score, pieces) in best[begin].items() if piece in logp else ():
                if number + 1 not in best[end] or score + logp[piece] > best[end][number + 1][0]:
                    best[end][number + 1] = (score + logp[piece], [*pieces, piece])
    ways = [(score / max(number, 1), pieces) for number, (score, pieces) in best[-1].items()]
    return max(ways)[1] if ways else None


@mistake("viterbi")
def least_probable(text, logp):
    longest = max(map(len, logp))
    worst, start = [0.0] + [inf] * len(text), [0] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        for begin in range(max(0, end - longest), end):
            score = worst[begin] + logp.get(text[begin:end], inf)
            if score < worst[end]:
                worst[end], start[end] = score, begin
    if worst[-1] == inf:
        return None
    pieces, end = [], len(text)
    while end:
        pieces.insert(0, text[start[end] : end])
        end = start[end]
    return pieces


@mistake(blank="trace")
def from_the_end(best, start, text):
    if best[-1] == -inf:
        return None
    pieces, end = [], len(text)
    while end:
        pieces.append(text[start[end] : end])
        end = start[end]
    return pieces


@mistake(blank="trace")
def raises_without_a_way(best, start, text):
    pieces, end = [], len(text)
    while end:
        pieces.append(text[start[end] : end])
        end = start[end]
    return pieces[::-1]


@mistake(blank="step")
def tries_all_starts(best, start, end, text, logp):
    for begin in range(end):
        score = best[begin] + logp.get(text[begin:end], -inf)
        if score > best[end]:
            best[end], start[end] = score, begin


@mistake(blank="step")
def tries_all_pieces(best, start, end, text, logp):
    for piece in logp:
        begin = end - len(piece)
        if begin >= 0 and text[begin:end] == piece and best[begin] + logp[piece] > best[end]:
            best[end], start[end] = best[begin] + logp[piece], begin


@mistake("em_step")
def counts_the_best_way(corpus, logp):
    counts = defaultdict(float)
    for text, times in corpus.items():
        for piece in viterbi(text, logp):  # noqa: F821
            counts[piece] += times
    total = sum(counts.values())
    return {piece: log(count / total) for piece, count in counts.items()}


@mistake("em_step")
def ways_are_equal(corpus, logp):
    counts = defaultdict(float)
    for text, times in corpus.items():
        spans = occurrences(text, logp)  # noqa: F821
        before, after = [1] + [0] * len(text), [0] * len(text) + [1]
        for begin, end in spans:
            before[end] += before[begin]
        for begin, end in reversed(spans):
            after[begin] += after[end]
        for begin, end in spans:
            counts[text[begin:end]] += times * before[begin] * after[end] / before[-1]
    total = sum(counts.values())
    return {piece: log(count / total) for piece, count in counts.items() if count}


@mistake(blank="expect")
def forgets_how_often(spans, text, counts, before, after, logp):
    for begin, end in spans:
        piece = text[begin:end]
        counts[piece] += exp(before[begin] + logp[piece] + after[end] - before[-1])


@mistake(blank="expect")
def forgets_to_divide(spans, text, counts, before, after, logp, times):
    for begin, end in spans:
        piece = text[begin:end]
        counts[piece] += times * exp(before[begin] + logp[piece] + after[end])


@mistake(blank="expect")
def forward_only(spans, text, counts, before, logp, times):
    for begin, end in spans:
        piece = text[begin:end]
        counts[piece] += times * exp(before[begin] + logp[piece] - before[end])


@mistake(blank="maximise")
def forgets_to_normalise(counts):
    return {piece: log(count) for piece, count in counts.items() if count}


@mistake(blank="maximise")
def divides_by_texts(counts, corpus):
    total = sum(corpus.values())
    return {piece: log(count / total) for piece, count in counts.items() if count}


@mistake(blank="maximise")
def probabilities(counts):
    total = sum(counts.values())
    return {piece: count / total for piece, count in counts.items() if count}


@mistake(blank="maximise")
def keeps_unused_pieces(counts, logp):
    total = sum(counts.values())
    return {piece: log(counts[piece] / total) if counts[piece] else logp[piece] for piece in logp}


@mistake("em_step")
def multiplies_probabilities(corpus, logp):
    counts = defaultdict(float)
    for text, times in corpus.items():
        spans = occurrences(text, logp)  # noqa: F821
        before, after = [1.0] + [0.0] * len(text), [0.0] * len(text) + [1.0]
        for begin, end in spans:
            before[end] += before[begin] * exp(logp[text[begin:end]])
        for begin, end in reversed(spans):
            after[begin] += exp(logp[text[begin:end]]) * after[end]
        for begin, end in spans:
            piece = text[begin:end]
            counts[piece] += times * before[begin] * exp(logp[piece]) * after[end] / before[-1]
    total = sum(counts.values())
    return {piece: log(count / total) for piece, count in counts.items() if count}
