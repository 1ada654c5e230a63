"""The mark in front is dropped before pieces become bytes; UTF-8 is read by its leading bytes."""

import re
import unicodedata
from itertools import pairwise

SIZES = {0b1100: 2, 0b1101: 2, 0b1110: 3, 0b1111: 4}
BYTE = re.compile(r"<0x([0-9A-F]{2})>")


def normalise(text: str) -> str:
    """The text as it will come back."""
    composed = unicodedata.normalize("NFKC", text)
    return re.sub(" +", " ", composed).strip(" ")


def encode(text: str, scores: dict[str, float]) -> list[str]:
    """The pieces of a text, unknown characters as bytes."""
    clean = normalise(text)
    pieces = list("▁" + clean.replace(" ", "▁")) if clean else []
    while found := [(-scores[a + b], i) for i, (a, b) in enumerate(pairwise(pieces)) if a + b in scores]:
        _, i = min(found)
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
    spelt = [[piece] if piece in scores else [f"<0x{byte:02X}>" for byte in piece.encode()] for piece in pieces]
    return [piece for group in spelt for piece in group]


def decode(pieces: list[str]) -> str:
    """The text that the pieces make."""
    first = [piece.removeprefix("▁") for piece in pieces[:1]]
    joined = b"".join(octets(piece) for piece in first + pieces[1:])
    text, start = "", 0
    while start < len(joined):
        size = SIZES.get(joined[start] >> 4, 1)
        try:
            text += joined[start : start + size].decode()
        except UnicodeDecodeError:
            size = 1
            text += "\ufffd"
        start += size
    return text


def octets(piece: str) -> bytes:
    """What a piece stands for, in UTF-8."""
    if byte := BYTE.fullmatch(piece):
        return bytes.fromhex(byte[1])
    return piece.replace("▁", " ").encode()
