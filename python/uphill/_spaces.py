"""Uphill's spaces as Gymnasium's, and their elements as the bytes that the native part takes and gives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces

Told = tuple[str, list[int], list[float], list[float]]


class Space:
    """A space, and how elements of it are written."""

    def __init__(self, told: Told):
        kind, n, low, high = told
        self.kind = kind
        # What there is to choose among, which masks may forbid.
        self.choices = sum(n) if kind in ("discrete", "multi-discrete") else 0
        if kind == "discrete":
            self.space: spaces.Space[Any] = spaces.Discrete(n[0])
        elif kind == "multi-discrete":
            self.space = spaces.MultiDiscrete(n)
        elif kind == "multi-binary":
            self.space = spaces.MultiBinary(n[0])
        elif kind == "image":
            self.space = spaces.Box(0, n[3], tuple(n[:3]), np.uint8)
        else:
            self.space = spaces.Box(np.array(low, np.float32), np.array(high, np.float32), dtype=np.float32)
        self.shape: tuple[int, ...] = self.space.shape or ()
        # Numbers of an element.
        self.width = math.prod(self.shape)

    def observations(self, data: bytes, lanes: int | None) -> Any:
        """Observations of so many lanes, or of one alone, from bytes."""
        numbers = np.frombuffer(data, "<f4")
        shape = self.shape if lanes is None else (lanes, *self.shape)
        observations = numbers.reshape(shape).astype(self.space.dtype)
        return observations[()] if self.kind == "discrete" and lanes is None else observations

    def written(self, elements: Any, what: str) -> tuple[bytes, int | None]:
        """Observations as the native part takes them, and of how many lanes they are; None of one alone."""
        array = np.asarray(elements, dtype="<f4")
        if array.shape == self.shape:
            return array.tobytes(), None
        if array.ndim == len(self.shape) + 1 and array.shape[1:] == self.shape and len(array):
            return array.tobytes(), len(array)
        raise ValueError(f"{what} has shape {array.shape}: expected {self.shape}, or {('N', *self.shape)} of N lanes")

    def actions(self, data: bytes, lanes: int | None) -> Any:
        """Actions of so many lanes, or of one alone, from bytes."""
        numbers = np.frombuffer(data, "<f4" if self.kind == "continuous" else "<u4")
        shape = self.shape if lanes is None else (lanes, *self.shape)
        actions = numbers.reshape(shape).astype(self.space.dtype)
        return actions[()] if self.kind == "discrete" and lanes is None else actions

    def masks(self, masks: Any, lanes: int | None) -> list[bool]:
        """Masks of actions as the native part takes them."""
        if not self.choices:
            raise ValueError(f"masks have no place here: actions are of {self.space}, and masks forbid choices")
        shape = (self.choices,) if lanes is None else (lanes, self.choices)
        array = np.asarray(masks)
        if array.shape != shape:
            raise ValueError(f"masks has shape {array.shape}: expected {shape}, whether each choice is legal")
        if not np.isin(array, (0, 1)).all():
            raise ValueError("masks holds something else than true and false, or 1 and 0")
        array = array.astype(np.bool_)
        # One choice has to be left of each.
        ends = np.cumsum(self.space.nvec if self.kind == "multi-discrete" else [self.choices])[:-1]
        parts = np.split(array.reshape(-1, self.choices), ends, axis=1)
        for lane in np.flatnonzero(~np.all([part.any(axis=1) for part in parts], axis=0)):
            where = "" if lanes is None else f" in lane {lane}"
            raise ValueError(f"masks leaves no legal choice{where}")
        return array.reshape(-1).tolist()

    def taken(self, actions: Any, lanes: int | None) -> bytes:
        """Actions as the native part takes them."""
        shape = self.shape if lanes is None else (lanes, *self.shape)
        array = np.asarray(actions)
        if array.shape != shape:
            raise ValueError(f"the actions have shape {array.shape}: expected {shape}")
        if self.kind == "continuous":
            return array.astype("<f4").tobytes()
        if not np.issubdtype(array.dtype, np.integer) and array.dtype != np.bool_:
            raise ValueError(f"the actions are of type {array.dtype}: expected whole numbers")
        if (array < 0).any() or (array > 0xFFFFFFFF).any():
            raise ValueError(f"the actions are {array.tolist()}: expected numbers of {self.space}")
        return array.astype("<u4").tobytes()
