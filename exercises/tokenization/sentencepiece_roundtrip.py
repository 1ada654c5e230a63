"""SentencePiece: there and back

SentencePiece is a library for raw text: no words are split off first, a space is a character
like others. It knows BPE and unigram models; here it is BPE, with byte fallback:

    normalise   Unicode NFKC; then several spaces in a row become one, and those at the ends
                vanish. A space is " " alone: tabs and line breaks stay
    encode      normalise; put one space in front; write every space as ▁ (U+2581). From
                single characters, of all neighbours that together are a piece in scores,
                those with the highest score, of several the leftmost, become one piece,
                until there are none. Then a piece that is not in scores becomes one piece
                for each byte of it in UTF-8: 好 is <0xE5> <0xA5> <0xBD>
    decode      put together what the pieces stand for: ▁ is a space, <0x, two capital
                hexadecimal digits and > are a byte, all else is text. One ▁ with which the
                first piece begins is dropped: encode put it there

so that decode(encode(text, scores)) == normalise(text). A text without anything left after
normalise has no pieces.

text      str without lone surrogates and without ▁, may be empty
scores    dict from str to float: what merges, and the characters that are known, ▁ among
          them; no two scores are equal. Bytes are not in it: all 256 are known
pieces    list of str, as a model may choose them: the first need not begin with ▁ and the
          bytes need not be UTF-8. Each byte that belongs to no character becomes one �
results   normalise, decode: str; encode: list of str

Source: Kudo and Richardson 2018, SentencePiece, arXiv:1808.06226, §3.1 and §3.4
"""

import re
import unicodedata
from itertools import pairwise

BYTE = re.compile(r"<0x([0-9A-F]{2})>")


def normalise(text: str) -> str:
    """The text as it will come back."""
    # TODO (1 line): `composed`: the text in Unicode's form NFKC
    raise NotImplementedError("compose")
    # TODO (1 line): return it with single spaces, and none at the ends
    raise NotImplementedError("trim")


def encode(text: str, scores: dict[str, float]) -> list[str]:
    """The pieces of a text, unknown characters as bytes."""
    clean = normalise(text)
    # TODO (1 line): `pieces`: a list of the single characters, ▁ for spaces and one in front; nothing of no text
    raise NotImplementedError("mark")
    # TODO (3 lines): merge neighbours in `pieces`, the highest score first, until there are none
    raise NotImplementedError("merge")
    # TODO (2 lines): return the pieces; for each that is not in scores those of its bytes
    raise NotImplementedError("fall_back")


def decode(pieces: list[str]) -> str:
    """The text that the pieces make."""
    # TODO (3 lines): `joined`: the bytes of all pieces, without the ▁ in front of all
    raise NotImplementedError("join")
    # TODO (2 lines): return the text that these bytes are, one � for each that belongs to no character
    raise NotImplementedError("read")


def octets(piece: str) -> bytes:
    """What a piece stands for, in UTF-8."""
    # TODO (3 lines): return the byte that <0x..> stands for; of any other piece the UTF-8, its ▁ as spaces
    raise NotImplementedError("octets")
