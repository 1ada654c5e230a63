import random
import re
import unicodedata
from functools import cache
from itertools import pairwise

import pytest

from clozekit.grading import corpus, mistake, reference

RAW = {
    "spaces": "  to   be or  not ",
    "spaces of other kinds": "\u3000to\xa0 be\u2003\u2009or\u202fnot\u3000",
    "tabs and line breaks stay": "\t to \t\t be\n\n or\r\nnot \u2028 \n",
    "letters written in another way": "ﬁne ① ½ ｈｅｌｌｏ ™ ㎏ ª",
    "accents": "e\u0301 é Å \u00b4 n\u0303",
    "capitals": "To BE or NOT İ ß",
    "Chinese": "子曰：“学而时习之，不亦说乎？”　不亦乐乎",
    "signs without width": "\ufeffto\u200b be\xad",
    "spaces only": "  \u3000 ",
    "empty text": "",
}

# The text, and the pieces from the highest score to the lowest.
TEXTS = {
    "words": ("to be or  not to be", "to be ▁to ▁be or ▁or not ▁not t o b e r n ▁"),
    "the highest score goes first": ("abcd abc", "bc ▁a cd ab bcd ▁ab ▁abc a b c d ▁"),
    "a piece of two words": ("of the", "e▁ f▁ f▁t th ▁of ▁the f▁th o f t h e ▁"),
    "from the left": ("aaaaa aaa", "aa aaa aaaa a ▁ ▁aa ▁aaa"),
    "unknown characters": ("to ¿be? ñ", "to ▁to be b e t o ▁"),
    "line breaks": ("to\nbe\tor\x0b", "to ▁to be ▁be b e t o r ▁"),
    "text like bytes": ("<0x41> <unk> </s>", "< > 0 x 4 ▁ <0 0x x4 <0x 1> un <un s / </ n k u"),
    "Chinese": ("子曰 学而时习之", "学而 时习 子 曰 子曰 ▁子曰 ▁学而 学 而 之 ▁"),
    "emoji": ("👍🏽 be👍", "👍 ▁👍 be b e ▁"),
    "what NFKC makes": ("ﬁｎｅ　½", "fi fin ▁fin f i n e 1 2 ▁ ▁1"),
    "one character": ("a", "b a ▁"),
    "spaces only": ("   ", "▁ a"),
    "a line break alone": (" \n", "▁ a"),
    "empty text": ("", "▁ a"),
    "spaces alone are known": ("a 好", "▁"),
}

PIECES = {
    "words": "▁to ▁be ▁or ▁not",
    "no mark in front": "to ▁be",
    "marks within a piece": "▁▁of▁ the▁▁w ord",
    "spaces at the end": "▁to ▁ ▁",
    "bytes of a character": "▁a <0xE5> <0xA5> <0xBD> b <0xF0> <0x9F> <0x91> <0x8D> <0x0A>",
    "bytes in front": "<0xE5> <0xA5> <0xBD> ▁a",
    "half a character": "▁a <0xE5> <0xA5> 好 <0xF0> <0x9F> <0x91> ▁ <0xE5>",
    "bytes in a wrong order": "▁ <0xBD> <0xA5> <0xE5> <0x41> <0xC0> <0x80> <0xED> <0xA0> <0x80> <0xFF>",
    "a byte that is a space": "<0x20> a <0x20> <0xE3> <0x80> <0x80>",
    "pieces like bytes": "▁ <0x4> ▁<0x41> <0xe5> 0x41> <0x041> <0xGG>",
    "one mark": "▁",
    "no pieces": "",
}


def scores_of(pieces):
    return {piece: -float(order) for order, piece in enumerate(pieces.split())}


@cache
def learned(number):
    text = unicodedata.normalize("NFKC", corpus.ENGLISH + corpus.CHINESE * 3)
    parts = re.findall("▁[^▁]*", "▁" + re.sub(r"\s+", "▁", text))
    pieces = dict.fromkeys(map("".join, corpus.merges(parts, number))) | dict.fromkeys(sorted(set("".join(parts)))[3:])
    return {piece: -float(order) for order, piece in enumerate(pieces)}


@pytest.mark.parametrize("case", RAW)
def test_normalise(check, case):
    check("normalise", RAW[case])


@pytest.mark.parametrize("case", TEXTS)
def test_encode(check, case):
    text, pieces = TEXTS[case]
    check("encode", text, scores_of(pieces))


@pytest.mark.parametrize("case", PIECES)
def test_decode(check, case):
    check("decode", PIECES[case].split())


def test_there_and_back(check):
    for text in (corpus.excerpt(80, corpus.ENGLISH), corpus.excerpt(60, corpus.CHINESE)):
        check("encode", text, dict(learned(120)))
        check("decode", pieces_of(text, learned(120)))


@pytest.mark.hidden
def test_texts_and_pieces_drawn_anew(check):
    for _ in range(2):
        others = [sign for sign in map(chr, random.sample(range(0xA0, 0xD7FF), 12)) if sign != "▁"]
        signs = [*corpus.excerpt(random.randint(30, 50)), *others, *"  \n \u3000 "]
        text = "".join(random.sample(signs, len(signs))) + corpus.excerpt(random.randint(20, 50))
        number = random.randint(70, 110)
        check("normalise", text)
        check("encode", text, dict(learned(number)))
        scores = dict(zip(learned(number), random.sample(range(9999), len(learned(number))), strict=True))
        check("encode", text, {piece: score / 8 - 9999 for piece, score in scores.items()})
        pieces = pieces_of(text, learned(number)) + [f"<0x{random.randrange(256):02X}>" for _ in range(12)]
        check("decode", pieces)
        random.shuffle(pieces)
        check("decode", [piece for piece in pieces if piece != "▁"])


@reference("normalise")
def clean(text):
    return " ".join(part for part in unicodedata.normalize("NFKC", text).split(" ") if part)


@reference("encode")
def pieces_of(text, scores):
    words = [word for word in clean(text).split(" ") if word]
    parts = list("".join("▁" + word for word in words))
    while known := [a + b for a, b in pairwise(parts) if a + b in scores]:
        best = max(known, key=scores.get)
        i = [a + b for a, b in pairwise(parts)].index(best)
        parts[i : i + 2] = [best]
    return [piece for part in parts for piece in ([part] if part in scores else spelt(part))]


def spelt(part):
    return ["<0x" + format(byte, "02X") + ">" for byte in part.encode()]


@reference("decode")
def text_of(pieces):
    data = bytearray()
    for i, piece in enumerate(pieces):
        if re.fullmatch("<0x[0-9A-F][0-9A-F]>", piece):
            data.append(int(piece[3:5], 16))
        else:
            data += (piece[1:] if i == 0 and piece[:1] == "▁" else piece).replace("▁", " ").encode()
    text, i = "", 0
    while i < len(data):
        size = next((size for size in (1, 2, 3, 4) if is_character(data[i : i + size])), 0)
        text += data[i : i + size].decode() if size else "\ufffd"
        i += size or 1
    return text


def is_character(data):
    try:
        return len(data.decode()) == 1
    except UnicodeDecodeError:
        return False


@mistake(blank="compose")
def nothing_normalised(text):
    composed = text


@mistake(blank="compose")
def nfc(text):
    composed = unicodedata.normalize("NFC", text)


@mistake(blank="compose")
def lower_case(text):
    composed = unicodedata.normalize("NFKC", text).casefold()


@mistake(blank="trim")
def trims_all_white_space(composed):
    return " ".join(composed.split())


@mistake(blank="trim")
def keeps_spaces(composed):
    return composed.strip(" ")


@mistake(blank="trim")
def keeps_outer_spaces(composed):
    return re.sub(" +", " ", composed)


@mistake("normalise")
def spaces_before_nfkc(text):
    return unicodedata.normalize("NFKC", re.sub(" +", " ", text).strip(" "))


@mistake(blank="mark")
def forgets_the_first_mark(clean):
    pieces = list(clean.replace(" ", "▁"))


@mistake(blank="mark")
def mark_of_nothing(clean):
    pieces = list("▁" + clean.replace(" ", "▁"))


@mistake(blank="fall_back")
def unknown_piece(pieces, scores):
    return [piece if piece in scores else "<unk>" for piece in pieces]


@mistake(blank="fall_back")
def drops_unknown(pieces, scores):
    return [piece for piece in pieces if piece in scores]


@mistake(blank="fall_back")
def code_points(pieces, scores):
    return [piece if piece in scores else f"<0x{ord(piece):02X}>" for piece in pieces]


@mistake(blank="fall_back")
def small_hex(pieces, scores):
    spelt = [[piece] if piece in scores else [f"<{byte:#04x}>" for byte in piece.encode()] for piece in pieces]
    return [piece for group in spelt for piece in group]


@mistake(blank="fall_back")
def all_as_bytes(pieces, scores):
    known = {piece for piece in scores if len(piece) == 1}
    spelt = [[piece] if set(piece) <= known else [f"<0x{byte:02X}>" for byte in piece.encode()] for piece in pieces]
    return [piece for group in spelt for piece in group]


@mistake(blank="merge")
def longest_first(pieces, scores):
    rest, pieces = "".join(pieces), []
    while rest:
        length = next((n for n in range(len(rest), 1, -1) if rest[:n] in scores), 1)
        pieces.append(rest[:length])
        rest = rest[length:]


@mistake(blank="merge")
def lowest_first(pieces, scores):
    while found := [(scores[a + b], i) for i, (a, b) in enumerate(pairwise(pieces)) if a + b in scores]:
        _, i = min(found)
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]


@mistake(blank="merge")
def leftmost_first(pieces, scores):
    while found := [i for i, (a, b) in enumerate(pairwise(pieces)) if a + b in scores]:
        i = found[0]
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]


@mistake(blank="octets")
def keeps_the_marks(piece):
    if byte := BYTE.fullmatch(piece):  # noqa: F821
        return bytes.fromhex(byte[1])
    return piece.encode()


@mistake("decode")
def strips_the_text(pieces):
    text = b"".join(octets(piece) for piece in pieces).decode(errors="surrogateescape")  # noqa: F821
    return re.sub("[\udc80-\udcff]", "\ufffd", text).strip()


@mistake("decode")
def spoils_the_whole_run(pieces):
    text, run = "", b""
    for i, piece in enumerate([*pieces, ""]):
        if BYTE.fullmatch(piece):  # noqa: F821
            run += octets(piece)  # noqa: F821
            continue
        try:
            text += run.decode()
        except UnicodeDecodeError:
            text += "\ufffd" * len(run)
        run = b""
        text += (piece if i else piece.removeprefix("▁")).replace("▁", " ")
    return text


@mistake("decode")
def strips_the_front(pieces):
    text = b"".join(octets(piece) for piece in pieces).decode(errors="surrogateescape")  # noqa: F821
    return re.sub("[\udc80-\udcff]", "\ufffd", text).lstrip()


@mistake(blank="join")
def keeps_the_first_space(pieces):
    joined = b"".join(octets(piece) for piece in pieces)  # noqa: F821


@mistake(blank="join")
def drops_any_space(pieces):
    joined = b"".join(octets(piece) for piece in pieces).removeprefix(b" ")  # noqa: F821


@mistake("decode")
def each_byte_alone(pieces):
    text = "".join(octets(piece).decode(errors="replace") for piece in pieces)  # noqa: F821
    return text[1:] if pieces and pieces[0].startswith("▁") else text


@mistake(blank="read")
def one_mark_for_several(joined):
    return joined.decode(errors="replace")


@mistake(blank="read")
def drops_bytes(joined):
    return joined.decode(errors="ignore")


@mistake(blank="octets")
def latin_1(piece):
    if byte := BYTE.fullmatch(piece):  # noqa: F821
        return chr(int(byte[1], 16)).encode()
    return piece.replace("▁", " ").encode()
