"""Pooling and heads: one vector, one number for a text

An encoder or decoder gives a vector for each token. A task wants something of the whole
text, so its tokens are pooled. Padding, where mask is False, never counts, whatever stands
there (it may be infinite), and it may stand on the left as well as on the right:

    "cls"     the first real token: BERT's [CLS], which attends to all others
    "mean"    the average of all real tokens: sentence embeddings
    "last"    the last real token: in a causal decoder the only one that has seen the text

On top of it:

    ClassificationHead   out(tanh(dense("cls")))    logits, as in BERT
    ScalarHead           out("last")                one number, as in a reward model

ClassificationHead(d_model, num_labels) has dense = nn.Linear(d_model, d_model) and
out = nn.Linear(d_model, num_labels); ScalarHead(d_model) has out = nn.Linear(d_model, 1)
without a bias.

h         [b, t, d_model], float32, float16 or bfloat16, like the parameters; need not be
          contiguous, must not be changed
mask      bool [b, t], True for real tokens; at least one in each sequence
result    of pool [b, d_model], of the heads [b, num_labels] and [b], in the dtype of h;
          gradients flow to h and the parameters

A mean adds up hundreds of tokens: add in float32, only the result is rounded. (A vector so
pooled from a raw BERT is a poor sentence embedding; that takes contrastive training.)

Source: Devlin et al. 2019, BERT, arXiv:1810.04805, §3 and §4.1; Reimers and Gurevych 2019, arXiv:1908.10084, §3
"""

import torch
from torch import Tensor, nn


def pool(h: Tensor, mask: Tensor, how: str) -> Tensor:
    """h [b, t, d], mask [b, t], True for real tokens -> [b, d]; how is "cls", "mean" or "last"."""
    # TODO (3 lines): if how is "mean", return the average of the real tokens
    raise NotImplementedError("mean")
    places = torch.arange(h.shape[1], device=h.device)  # [t]
    # TODO (2 lines): if how is "cls", `place` [b]: where the first real token of each sequence stands
    raise NotImplementedError("first")
    # TODO (2 lines): if how is "last", `place` [b]: where the last real token of each sequence stands
    raise NotImplementedError("last")
    # TODO (1 line): return the vector at `place` of each sequence
    raise NotImplementedError("take")


class ClassificationHead(nn.Module):
    """BERT's: what class a text belongs to."""

    def __init__(self, d_model: int, num_labels: int):
        super().__init__()
        self.dense = nn.Linear(d_model, d_model)
        self.out = nn.Linear(d_model, num_labels)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """h [b, t, d_model], mask [b, t] -> logits [b, num_labels]."""
        # TODO (1 line): the logits of each text
        raise NotImplementedError("classify")


class ScalarHead(nn.Module):
    """A reward model's: one number for a text."""

    def __init__(self, d_model: int):
        super().__init__()
        self.out = nn.Linear(d_model, 1, bias=False)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """h [b, t, d_model], mask [b, t] -> [b]."""
        # TODO (1 line): one number for each text
        raise NotImplementedError("score")
