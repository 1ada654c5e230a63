"""Java background: an abstract base class, getters, a factory, interfaces, docstrings everywhere."""

from __future__ import annotations

import abc
import logging
from typing import Optional, Tuple

import torch
from torch import Tensor

logger = logging.getLogger("kv")


class AbstractCache(abc.ABC):
    """Interface of all caches."""

    @abc.abstractmethod
    def append(self, k: Tensor, v: Tensor) -> Tuple[Tensor, Tensor]:
        """Appends keys and values."""

    @abc.abstractmethod
    def getLength(self) -> int:
        """Returns the number of tokens."""

    def __len__(self) -> int:
        return self.getLength()


class TensorStore:
    """Stores one growing tensor."""

    SEQUENCE_AXIS = 2

    def __init__(self) -> None:
        self._tensor: Optional[Tensor] = None

    def isEmpty(self) -> bool:
        return self._tensor is None

    def getTensor(self) -> Tensor:
        if self._tensor is None:
            raise RuntimeError("empty store")
        return self._tensor

    def add(self, other: Tensor) -> TensorStore:
        parts = [other] if self.isEmpty() else [self.getTensor(), other]
        self._tensor = torch.cat(parts, dim=TensorStore.SEQUENCE_AXIS)
        return self


class KVCache(AbstractCache):
    """A cache made of two stores."""

    def __init__(self) -> None:
        self._keyStore = TensorStore()
        self._valueStore = TensorStore()

    def append(self, k: Tensor, v: Tensor) -> Tuple[Tensor, Tensor]:
        logger.info("appending %d tokens", k.shape[2])
        return self._keyStore.add(k).getTensor(), self._valueStore.add(v).getTensor()

    def getLength(self) -> int:
        return 0 if self._keyStore.isEmpty() else self._keyStore.getTensor().shape[TensorStore.SEQUENCE_AXIS]


class AttentionFactory:
    """Creates masks."""

    @classmethod
    def createMask(cls, newTokens: int, totalTokens: int) -> Tensor:
        """True where attention is forbidden."""
        queryPositions = torch.arange(totalTokens - newTokens, totalTokens).view(-1, 1)
        keyPositions = torch.arange(totalTokens).view(1, -1)
        return keyPositions.gt(queryPositions)


def attend(q: Tensor, k: Tensor, v: Tensor, cache: KVCache) -> Tensor:
    """Performs causal attention."""
    keys, values = cache.append(k, v)
    mask = AttentionFactory.createMask(q.shape[2], len(cache))
    scores = torch.matmul(q / q.shape[3] ** 0.5, keys.transpose(2, 3))
    probabilities = torch.nn.Softmax(dim=3)(scores.masked_fill(mask, -float("inf")))
    return torch.matmul(probabilities, values)
