"""Initialising the weights: Xavier, Kaiming, GPT-2

A linear map y = W x adds up fan_in products. Too large weights make a signal explode from
layer to layer, too small ones make it vanish. Draw every parameter so that it does neither.
A weight has the shape [fan_out, fan_in], and its elements are independent of each other:

    "xavier"    uniform between -a and a, a = sqrt(6 / (fan_in + fan_out)): a compromise
                between the signal forward and the gradient backward
    "kaiming"   normal, standard deviation sqrt(2 / fan_in): a ReLU halves the mean square
    "gpt2"      normal, standard deviation 0.02; those that write into the residual stream,
                whose names end in "c_proj.weight", have 0.02 / sqrt(2 n_layers), as two of
                them in each block add to it

The mean is 0. Names that end in ".bias" stand for zeros, those that end in "norm.weight"
for ones, whatever the scheme. All others are weights of two axes; only "gpt2" looks at
their names and at n_layers.

shapes    dict: the name of each parameter to its shape, a list of ints
n_layers  int >= 1, blocks of the model; shapes need not hold all of them
scheme    "xavier", "kaiming" or "gpt2"
result    dict: the same names to float32 tensors of these shapes

Draw anew at every call and for every name, and set no seed. What is judged is how the
elements are distributed, with bars that an honest answer misses less than once in a million
gradings.

Source: Glorot and Bengio 2010, eq. 16; He et al. 2015, arXiv:1502.01852, eq. 10; Radford et al. 2019, GPT-2, §2.3
"""

import math

import torch
from torch import Tensor


def init_weights(shapes: dict[str, list[int]], n_layers: int, scheme: str) -> dict[str, Tensor]:
    """A tensor for each name, of its shape; scheme is "xavier", "kaiming" or "gpt2"."""
    return {name: initial(name, shape, n_layers, scheme) for name, shape in shapes.items()}


def initial(name: str, shape: list[int], n_layers: int, scheme: str) -> Tensor:
    """One parameter."""
    # TODO (4 lines): return what is not random: biases and the weights of norms
    raise NotImplementedError("constants")
    fan_out, fan_in = shape
    if scheme == "xavier":
        # TODO (2 lines): return a weight drawn as "xavier" says
        raise NotImplementedError("xavier")
    if scheme == "kaiming":
        # TODO (1 line): return a weight drawn as "kaiming" says
        raise NotImplementedError("kaiming")
    # TODO (4 lines): return a weight drawn as "gpt2" says
    raise NotImplementedError("gpt2")
