"""The model that exercises generate with says the same, whether it reads a text at once, in pieces or beside padding."""

import pytest
import torch

from clozekit import calls, tiny_lm
from clozekit.tiny_lm import TinyLM
from clozekit.worker import Worker

VOCAB = 29


def model(parameters):
    made = TinyLM(VOCAB, blocks=2)
    made.load_state_dict(parameters)
    return made


@pytest.fixture
def parameters():
    torch.manual_seed(0)
    return tiny_lm.draw(VOCAB, blocks=2)


def test_in_pieces_with_a_cache_it_says_the_same(parameters):
    ids = torch.randint(0, VOCAB, (3, 9))
    ours = model(parameters)
    cache = ours.new_cache()
    pieces = [ours(piece, cache=cache) for piece in ids.split([4, 1, 3, 1], dim=1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), ours(ids))
    assert ours.passes() == 5


def test_padding_on_the_left_changes_nothing(parameters):
    ids = torch.randint(0, VOCAB, (2, 6))
    mask = torch.tensor([[False, False, True, True, True, True], [True] * 6])
    ours = model(parameters)
    cache = ours.new_cache()
    ours(ids[:, :4], mask[:, :4], cache)
    said = ours(ids[:, 4:], mask, cache)
    torch.testing.assert_close(said[0], ours(ids[:1, 2:])[0, 2:])
    torch.testing.assert_close(said[1], ours(ids[1:])[0, 4:])


@pytest.mark.parametrize(
    ("ids", "mask", "says"),
    [
        (torch.zeros(4, dtype=torch.int64), None, r"ids must be a tensor \[b, n\]"),
        ([1, 2], None, "ids must be a tensor"),
        (torch.zeros(2, 4, dtype=torch.int64), torch.ones(2, 3, dtype=torch.bool), r"mask must be \[2, 4\]"),
    ],
)
def test_shapes_that_are_wrong_are_named(ids, mask, says, parameters):
    with pytest.raises(ValueError, match=says):
        model(parameters)(ids, mask)


def test_a_submission_cannot_put_its_own_in_its_place():
    worker = Worker()
    worker.load(calls.Load(0, "class TinyLM:\n    pass\n", "answer.py"))
    assert worker.find(calls.Call(0, "TinyLM", None, [], {})) is TinyLM
