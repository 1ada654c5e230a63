"""A language model that is small enough to generate with in a grader: exercises get it as an argument.

    model = check.new("TinyLM", vocab=31, parameters=draw(vocab=31))       in a grader; it lives in the worker
    check("greedy_decode", model, ids, 8, 2, returns=[15, 9, 2])
    check(model.passes, returns=3)

A learner calls it: `model(ids)`, or `model(ids, mask, cache)` with a cache of `model.new_cache()`. It is the kit's own and no
name of the submission's, so that none can take its place. That it ran, and how often, is the word of the learner's process:
the flops of a call say the same, and so does its answer, which depends on every weight.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

D_MODEL, NUM_HEADS, MAX_LEN = 16, 2, 128


class Cache:
    """The keys and values of all tokens so far: of each block one pair, [b, h, total, head_dim]."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[Tensor, Tensor]] = {}

    def extend(self, block: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values of a block, the new ones last."""
        if block in self.kept:
            old_k, old_v = self.kept[block]
            k, v = torch.cat([old_k, k], dim=2), torch.cat([old_v, v], dim=2)
        self.kept[block] = k, v
        return k, v

    def __len__(self) -> int:
        return self.kept[0][0].shape[2] if self.kept else 0


class Block(nn.Module):
    """Attention and a feed-forward network, each on a normalised input and added to it."""

    def __init__(self, number: int):
        super().__init__()
        self.number = number
        self.qkv = weight(3 * D_MODEL, D_MODEL, scale=0.4)
        self.out = weight(D_MODEL, D_MODEL, scale=0.4)
        self.up = weight(4 * D_MODEL, D_MODEL, scale=0.4)
        self.down = weight(D_MODEL, 4 * D_MODEL, scale=0.4)

    def forward(self, x: Tensor, visible: Tensor, cache: Cache) -> Tensor:
        """x [b, n, d_model] of the new tokens, visible [b, 1, n, total] -> [b, n, d_model]."""
        qkv = F.linear(normalised(x), self.qkv).unflatten(-1, (3, NUM_HEADS, -1))  # [b, n, 3, h, head_dim]
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each [b, h, n, head_dim]
        keys, values = cache.extend(self.number, k, v)
        scores = q @ keys.mT / math.sqrt(q.shape[-1])  # [b, h, n, total]
        heads = scores.masked_fill(~visible, -math.inf).softmax(dim=-1) @ values
        x = x + F.linear(heads.transpose(1, 2).flatten(-2), self.out)
        return x + F.linear(F.gelu(F.linear(normalised(x), self.up), approximate="tanh"), self.down)


class TinyLM(nn.Module):
    """A decoder with learned positions, as GPT-2 but without biases, and with a head of its own.

    As it is made, it is neither sure of its next token nor without an opinion.
    """

    def __init__(self, vocab: int, blocks: int = 1):
        super().__init__()
        self.tokens = weight(vocab, D_MODEL)
        self.positions = weight(MAX_LEN, D_MODEL)
        self.blocks = nn.ModuleList(Block(number) for number in range(blocks))
        self.head = weight(vocab, D_MODEL)
        self.count = 0

    def forward(self, ids: Tensor, mask: Tensor | None = None, cache: Cache | None = None) -> Tensor:
        """ids int64 [b, n]: tokens that go on with those of the cache -> logits [b, n, vocab] after each of them.

        mask: boolean [b, total], True where a token is real, of all tokens so far and the new ones; by default all are.
        cache: the new tokens are added to it.

        Raises:
            ValueError: the shape of ids or mask is another one.
        """
        self.count += 1
        if not isinstance(ids, Tensor) or ids.ndim != 2:
            raise ValueError(f"ids must be a tensor [b, n], not {getattr(ids, 'shape', type(ids).__name__)}")
        cache = Cache() if cache is None else cache
        total = len(cache) + ids.shape[1]
        if mask is None:
            mask = torch.ones(len(ids), total, dtype=torch.bool, device=ids.device)
        if mask.shape != (len(ids), total):
            wanted = f"[{len(ids)}, {total}], one for each token so far"
            raise ValueError(f"mask must be {wanted}, not {list(mask.shape)}")
        place = torch.arange(total, device=ids.device)
        new = place[len(cache) :, None]  # [n, 1]
        visible = (place <= new) & mask[:, None, None] | (place == new)  # padding sees itself: no row is empty
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, len(cache) :]  # padding takes up none
        x = self.tokens[ids] + self.positions[positions]
        for block in self.blocks:
            x = block(x, visible, cache)
        return F.linear(normalised(x), self.head)

    def new_cache(self) -> Cache:
        """An empty one."""
        return Cache()

    def passes(self) -> int:
        """How often the model was called."""
        return self.count


def normalised(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:])


def weight(*shape: int, scale: float = 1.0) -> nn.Parameter:
    return nn.Parameter(scale * torch.randn(shape))


def draw(vocab: int, blocks: int = 1) -> dict[str, Tensor]:
    """Parameters for such a model."""
    return dict(TinyLM(vocab, blocks).state_dict())


def built(parameters: dict[str, Tensor]) -> TinyLM:
    """The model with these parameters, in float64: what a grader asks for itself."""
    vocab, blocks = len(parameters["head"]), sum(name.endswith(".qkv") for name in parameters)
    model = TinyLM(vocab, blocks).double().requires_grad_(False)
    model.load_state_dict(parameters)
    return model
