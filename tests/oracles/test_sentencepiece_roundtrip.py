"""tokenization/sentencepiece_roundtrip against the library itself: a small BPE with byte fallback, trained here.

Where they differ, on purpose: a ▁ in the text is a space to the library, and it drops several ▁ in front when it decodes.
No text and no answer of a case has these. Of its lists of Unicode it knows those of its own version, of signs that were
assigned by then.
"""

import io
import random
import unicodedata

import pytest
import sentencepiece

from clozekit.grading import corpus


@pytest.fixture(scope="module")
def library():
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter((corpus.ENGLISH + corpus.CHINESE).splitlines()),
        model_writer=written,
        model_type="bpe",
        vocab_size=560,
        byte_fallback=True,
        normalization_rule_name="nfkc",
        character_coverage=0.98,
        num_threads=1,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())


def scores_of(library):
    ids = range(library.vocab_size())
    kept = [i for i in ids if not (library.is_byte(i) or library.is_control(i) or library.is_unknown(i))]
    return {library.id_to_piece(i): library.get_score(i) for i in kept}


def texts(grader):
    draw = random.Random(0)
    for start in range(0, 1200, 100):
        yield corpus.ENGLISH[start : start + 100]
    yield from (corpus.CHINESE, *grader.RAW.values(), *(text for text, _ in grader.TEXTS.values()))
    old = [sign for sign in map(chr, range(0x20, 0xD7FF)) if sign != "▁" and unicodedata.category(sign) != "Cn"]
    for _ in range(100):
        yield "".join(draw.choices(old, k=20)) + draw.choice(["  a", " ", "\u3000\n"])


def test_encode_and_back(kit, library):
    solution, grader = kit("tokenization/sentencepiece_roundtrip")
    scores = scores_of(library)
    for text in texts(grader):
        pieces = library.encode(text, out_type=str)
        assert solution.encode(text, scores) == grader.pieces_of(text, scores) == pieces, text
        assert solution.decode(pieces) == library.decode(pieces) == solution.normalise(text) == grader.clean(text), text


def test_any_pieces(kit, library):
    solution, grader = kit("tokenization/sentencepiece_roundtrip")
    draw = random.Random(1)
    known = [piece for piece in scores_of(library) if piece.strip("▁")]
    octets = [f"<0x{byte:02X}>" for byte in range(256)]
    for _ in range(300):
        pieces = [draw.choice(known), *(draw.choice(draw.choice([known, octets, octets[0x80:]])) for _ in range(12))]
        assert solution.decode(pieces) == grader.text_of(pieces) == library.decode(pieces), pieces
