"""A heap merges; what cannot be decoded is taken from the exception, byte for byte; regular expressions trim."""

import heapq
import re
import unicodedata

META = "▁"


def read(data: bytes) -> str:
    text = ""
    while data:
        try:
            return text + data.decode()
        except UnicodeDecodeError as error:
            text += data[: error.start].decode() + "\N{REPLACEMENT CHARACTER}"
            data = data[error.start + 1 :]
    return text


def normalise(text: str) -> str:
    return re.sub(r"\A +| +\Z|(?<= ) +", "", unicodedata.normalize("NFKC", text))


def encode(text: str, scores: dict) -> list:
    body = normalise(text)
    chars = list(META + body.replace(" ", META)) if body else []
    n = len(chars)
    after, before = list(range(1, n + 1)), list(range(-1, n - 1))
    heap = []

    def offer(i):
        if i >= 0 and after[i] < n:
            whole = chars[i] + chars[after[i]]
            if whole in scores:
                heapq.heappush(heap, (-scores[whole], i, whole))

    for i in range(n):
        offer(i)
    while heap:
        _, i, whole = heapq.heappop(heap)
        if chars[i] and after[i] < n and chars[i] + chars[after[i]] == whole:
            j = after[i]
            chars[i], chars[j] = whole, ""
            after[i] = after[j]
            if after[j] < n:
                before[after[j]] = i
            offer(before[i])
            offer(i)
    return [
        part
        for piece in chars
        if piece
        for part in ((piece,) if piece in scores else map("<0x{:02X}>".format, piece.encode()))
    ]


def decode(pieces: list) -> str:
    data = bytearray()
    for piece in pieces:
        if re.fullmatch(r"<0x[0-9A-F]{2}>", piece):
            data.append(int(piece[1:-1], 16))
        else:
            data.extend(piece.encode().replace(META.encode(), b" "))
    start = 1 if pieces and pieces[0].startswith(META) else 0
    return read(bytes(data[start:]))
