"""FLOPs and memory of a GPT

How much arithmetic is one training step of a GPT, and how many bytes do training and
generating take? There are `batch` sequences of t tokens. A block has four linear maps of
attention, each from d_model to d_model, and two of the feed-forward part, from d_model to
4 · d_model and back; after the last block the output matrix leads from d_model to vocab.

train_flops counts matrix products alone: [m, k] times [k, n] takes 2 · m · k · n. Those
are all linear maps, and in attention q kᵀ and weights · v, over all t · t pairs whether
masked or not. An embedding is looked up, not multiplied. Backward, each product needs two
of its size, one for the gradient of each factor. With recompute=True the blocks, and only
they, run forward once more before their backward pass.

memory_bytes adds up, for each mode:

    "train"      of each parameter: weight 2, gradient 2, and for Adam in float32 another
                 weight 4, momentum 4, variance 4;
                 of each block, for the backward pass: 34 for each number of its input,
                 [batch, t, d_model], and 5 for each score of each head
    "recompute"  the same of each parameter; of each block only its input, 2 a number
    "generate"   each parameter 2, and the keys and values of all tokens in all blocks,
                 each of d_model numbers at 2

cfg     a dict of ints: n_params, n_layers, d_model, n_heads (divides d_model), vocab
batch, t   ints, at least 1
result  int, exact

Source: Korthikanti et al. 2022, arXiv:2205.05198, eq. 1 and appendix A; ZeRO, arXiv:1910.02054, §3.1
"""

def train_flops(cfg: dict, batch: int, t: int, recompute: bool = False) -> int:
    """Floating-point operations of one training step, forward and backward."""
    d, tokens = cfg["d_model"], batch * t
    # TODO (1 line): `maps`, the operations of one block's six linear maps, forward
    raise NotImplementedError("maps")
    # TODO (1 line): `attention`, those of its scores and weighted sums, forward
    raise NotImplementedError("attention")
    # TODO (1 line): `logits`, those of the output matrix, forward
    raise NotImplementedError("logits")
    # TODO (3 lines): return the operations of the whole step
    raise NotImplementedError("passes")


def memory_bytes(cfg: dict, batch: int, t: int, mode: str) -> int:
    """Bytes on the device; mode is "train", "recompute" or "generate"."""
    numbers = batch * t * cfg["d_model"]  # in the input of one block
    # TODO (3 lines): if mode is "generate", return its bytes
    raise NotImplementedError("generate")
    # TODO (1 line): `states`, the bytes of all that is kept for each parameter in training
    raise NotImplementedError("states")
    # TODO (1 line): `kept`, the bytes that one block keeps for the backward pass
    raise NotImplementedError("kept")
    # TODO (1 line): return the bytes of training
    raise NotImplementedError("train")
