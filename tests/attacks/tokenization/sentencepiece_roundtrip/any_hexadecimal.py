"""Whatever looks a little like a byte is one: small letters, one digit, a ▁ in front.

Verdict: failed
"""

import re
import unicodedata


def normalise(text):
    return re.sub(" +", " ", unicodedata.normalize("NFKC", text)).strip(" ")


def encode(text, scores):
    parts = list("▁" + normalise(text).replace(" ", "▁")) if normalise(text) else []
    while best := [(-scores[a + b], i) for i, (a, b) in enumerate(zip(parts, parts[1:])) if a + b in scores]:
        i = min(best)[1]
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return [p for part in parts for p in ([part] if part in scores else [f"<0x{b:02X}>" for b in part.encode()])]


def decode(pieces):
    data = b""
    for piece in pieces:
        byte = re.search("<0x([0-9A-Fa-f]{1,2})>", piece)
        data += bytes([int(byte[1], 16)]) if byte else piece.replace("▁", " ").encode()
    text = re.sub("[\udc80-\udcff]", "�", data.decode(errors="surrogateescape"))
    return text[1:] if pieces and pieces[0].startswith("▁") else text
