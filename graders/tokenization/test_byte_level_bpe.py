import random
import re
from functools import cache
from itertools import pairwise

import pytest

from clozekit.grading import corpus, mistake, reference

PRE_TOKEN = r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"

TEXTS = {
    "words and their spaces": "the rabbit took the watch out of the pocket",
    "short forms": "she's it'll I'm they've don't we're he'd 'tis it’s DON'T",
    "numbers": "in 1865 or 2 x 40, 3.14 and 1,000 ٣٤",
    "punctuation": "“Oh dear!” (she thought), well... a_b __x__ #1 --- ,the",
    "runs of whitespace": "the   watch\n\n\tand  \n of\r\n\r\nthe",
    "spaces at both ends": "  the watch  ",
    "whitespace only": "  \n \t \u3000 ",
    "Chinese": "子曰：“学而时习之，不亦说乎？”\u3000不亦乐乎 不亦君子乎",
    "emoji": "👍🏽👍 the 👩‍👩‍👧 👍",
    "letters and accents apart": "e\u0301 é ﬁ ½ Å K",
    "capitals": "THE The the tHE",
    "a byte order mark": "\ufeffthe",
    "control characters": "\x00a\x7f\u200bthe\ufeff the\x1c",
    "one letter": "t",
    "empty text": "",
}

# The text, and the merges in the order in which they were learned.
ORDERS = {
    "the first learned goes first": ("abcd xabcd", "b c, a b, c d, ab cd, a bc"),
    "no longest match": ("abcde", "c d, a b, ab c, abc d, abcd e"),
    "from the left": ("aaa aaaaa ababab", "a a, aa a, a b, b a, ab ab"),
    "not across pre tokens": ("ab a,b a1 a b", "a b, a 1, a ,"),
    "no merges": ("the 好", ""),
}

# Merges of bytes side by side, some within a pre-token, some at its border.
BORDERS = (
    "x'sx'tx'dx'mx'llx'vex'rex'Tx a_b _! 1234 ! 5 !?\tx\t5\t! ?\n",
    ["sx", "tx", "dx", "mx", "lx", "ex", "Tx", "a_", "_b", "_!", "34", " 5", " !", "\tx", "\t5", "\t!", "?\n"],
)


@cache
def learned():
    """Without merges that make a token which another one makes, too."""
    words = re.findall(PRE_TOKEN, corpus.ENGLISH + corpus.CHINESE * 3)
    return distinct(corpus.merges([spelt(word) for word in words], 150))


def distinct(merges):
    return list({left + right: (left, right) for left, right in reversed(merges)}.values())[::-1]


def spelt(word):
    return [bytes([byte]) for byte in word.encode()]


def merges_of(pairs):
    return [tuple(part.encode() for part in pair.split()) for pair in pairs.split(", ") if pair]


def check_encode(check, merges, text):
    tokenizer = check.new("ByteBPE", merges)
    check(tokenizer.encode, text, like=(merges, text))


def check_decode(check, merges, ids):
    tokenizer = check.new("ByteBPE", merges)
    check(tokenizer.decode, ids, like=(merges, ids))


@pytest.mark.parametrize("case", TEXTS)
def test_encode(check, case):
    check_encode(check, learned(), TEXTS[case])


@pytest.mark.parametrize("case", ORDERS)
def test_the_order_of_merges(check, case):
    text, pairs = ORDERS[case]
    check_encode(check, merges_of(pairs), text)


def test_what_a_pre_token_is(check):
    text, pairs = BORDERS
    check_encode(check, [(left.encode(), right.encode()) for left, right in pairs], text)


HALVES = [(b"\xe5", b"\xa5"), (b"\x9f", b"\x91")]  # of 好, of 👍

# The merges and the ids.
IDS = {
    "what encode made": lambda: (learned(), encode(learned(), "\n".join(TEXTS.values()))),
    "a character in several tokens": lambda: (HALVES, encode(HALVES, "a好é👍🏽, 好")),
    "half a character": lambda: (HALVES, [*encode(HALVES, "好👍")[:-1], *b" a", 256]),
    "bytes in a wrong order": lambda: (HALVES, [0xBD, 257, 256, 0x41, 0xC0, 0x80, 0xFF]),
    "any ids": lambda: (learned(), random.choices(range(256 + len(learned())), k=40)),
    "a byte order mark": lambda: (HALVES, encode(HALVES, "\ufeff好")),
    "no ids": lambda: (HALVES, []),
}


@pytest.mark.parametrize("case", IDS)
def test_decode(check, case):
    check_decode(check, *IDS[case]())


@pytest.mark.hidden
def test_texts_and_merges_drawn_anew(check):
    """There and back; then merges in an order that another text would teach: what a token is made of comes before it."""
    for _ in range(2):
        signs = corpus.excerpt(random.randint(40, 60)) + "".join(map(chr, random.sample(range(0xA0, 0x3100), 12)))
        text = "".join(random.sample(signs, len(signs))) + corpus.excerpt(random.randint(60, 120))
        merges = learned()[: random.randint(100, 140)]
        tokenizer = check.new("ByteBPE", merges)
        check(tokenizer.encode, text, like=(merges, text))
        ids = encode(merges, text)
        check(tokenizer.decode, ids, like=(merges, ids))
        random.shuffle(merges)
        merges.sort(key=lambda pair: len(pair[0] + pair[1]))
        check_encode(check, merges, text)
        check_decode(check, merges, random.sample(ids, 30))


@reference("ByteBPE.encode")
def encode(merges, text):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    ids = {bytes([byte]): byte for byte in range(256)} | {a + b: 256 + i for i, (a, b) in enumerate(merges)}
    tokens = []
    for word in re.findall(PRE_TOKEN, text):
        parts = spelt(word)
        while known := [pair for pair in pairwise(parts) if pair in ranks]:
            best = list(pairwise(parts)).index(min(known, key=ranks.get))
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
        tokens += parts
    return [ids[token] for token in tokens]


@reference("ByteBPE.decode")
def decode(merges, ids):
    tokens = [bytes([byte]) for byte in range(256)] + [left + right for left, right in merges]
    return b"".join(tokens[id] for id in ids).decode("utf-8", "replace")


@mistake(blank="split")
def merges_across_words(text):
    pre_tokens = [text.encode()]


@mistake(blank="split")
def loses_whitespace(text):
    pre_tokens = [word.encode() for word in text.split()]


@mistake(blank="split")
def no_short_forms(text):
    without = PRE_TOKEN.pattern.partition("|ll|ve|re)|")[2]
    pre_tokens = [match[0].encode() for match in re.finditer(without, text)]


@mistake(blank="split")
def ignores_case(text):
    pre_tokens = [match[0].encode() for match in re.finditer(PRE_TOKEN.pattern, text, re.IGNORECASE)]


@mistake(blank="split")
def underscore_is_a_letter(text):
    pre_tokens = [match[0].encode() for match in re.finditer(PRE_TOKEN.pattern.replace(r"\d_]", r"\d]"), text)]


@mistake(blank="split")
def at_most_three_digits(text):
    pre_tokens = [match[0].encode() for match in re.finditer(PRE_TOKEN.pattern.replace(r"\d+", r"\d{1,3}"), text)]


@mistake(blank="split")
def adds_a_space(text):
    pre_tokens = [match[0].encode() for match in PRE_TOKEN.finditer(" " + text)]


@mistake(blank="split")
def strips_the_text(text):
    pre_tokens = [match[0].encode() for match in PRE_TOKEN.finditer(text.strip())]


@mistake("ByteBPE.encode")
def composes_characters(self, text):
    import unicodedata

    text = unicodedata.normalize("NFKC", text)
    pre_tokens = [match[0].encode() for match in PRE_TOKEN.finditer(text)]
    return [self.ids[token] for pre_token in pre_tokens for token in self.merged(pre_token)]


@mistake(blank="split")
def lowers_the_text(text):
    pre_tokens = [match[0].encode() for match in PRE_TOKEN.finditer(text.lower())]


@mistake("ByteBPE.encode")
def numbers_characters(self, text):
    pre_tokens = [match[0].encode() for match in PRE_TOKEN.finditer(text)]
    return [
        self.ids[token] if word.isascii() else ord(token)
        for word in pre_tokens
        for token in (self.merged(word) if word.isascii() else word.decode())
    ]


@mistake(blank="split")
def drops_what_is_not_ascii(text):
    pre_tokens = [match[0].encode("ascii", "ignore") for match in PRE_TOKEN.finditer(text)]


@mistake(blank="merge")
def longest_first(self, pre_token, tokens):
    tokens = []
    while pre_token:
        length = max(n for n in range(1, len(pre_token) + 1) if pre_token[:n] in self.ids)
        tokens.append(pre_token[:length])
        pre_token = pre_token[length:]


@mistake(blank="merge")
def leftmost_first(self, tokens):
    while found := [i for i, pair in enumerate(pairwise(tokens)) if pair in self.ranks]:
        i = found[0]
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]


@mistake(blank="merge")
def last_learned_first(self, tokens):
    while found := [(-self.ranks[pair], i) for i, pair in enumerate(pairwise(tokens)) if pair in self.ranks]:
        _, i = min(found)
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]


@mistake(blank="merge")
def looks_up_joined_bytes(self, tokens):
    rank = {left + right: rank for rank, (left, right) in enumerate(self.ranks)}
    while found := [(rank[a + b], i) for i, (a, b) in enumerate(pairwise(tokens)) if a + b in rank]:
        _, i = min(found)
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]


@mistake(blank="merge")
def merges_each_once(self, tokens):
    for pair in self.ranks:
        pairs = list(pairwise(tokens))
        if pair in pairs:
            i = pairs.index(pair)
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]


@mistake(blank="tables")
def ids_from_zero(self, merges):
    self.ranks = {pair: rank for rank, pair in enumerate(merges)}
    self.tokens = [left + right for left, right in merges] + [bytes([byte]) for byte in range(256)]
    self.ids = {token: id for id, token in enumerate(self.tokens)}


@mistake(blank="tables")
def ids_after_255(self, merges):
    self.ranks = {pair: rank for rank, pair in enumerate(merges)}
    self.tokens = [bytes([byte]) for byte in range(256)] + [b""] + [left + right for left, right in merges]
    self.ids = {token: id for id, token in enumerate(self.tokens)}


@mistake(blank="join")
def decodes_each_token(self, ids):
    return "".join(self.tokens[id].decode(errors="replace") for id in ids)


@mistake(blank="join")
def raises_on_half_characters(self, ids):
    return b"".join(self.tokens[id] for id in ids).decode()


@mistake(blank="join")
def drops_half_characters(self, ids):
    return b"".join(self.tokens[id] for id in ids).decode(errors="ignore")


@mistake(blank="join")
def drops_a_byte_order_mark(self, ids):
    return b"".join(self.tokens[id] for id in ids).decode("utf-8-sig", errors="replace")


@mistake(blank="join")
def needs_an_id(self, ids):
    joined = self.tokens[ids[0]]
    for id in ids[1:]:
        joined += self.tokens[id]
    return joined.decode(errors="replace")


@mistake(blank="join")
def decodes_latin_1(self, ids):
    return b"".join(self.tokens[id] for id in ids).decode("latin-1")
