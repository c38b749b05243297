"""Column sums over subsets of rows in, all subsets or uniformly drawn ones: what a permutation of two labels amounts to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TABLE_LIMIT: Final = 20_000
"""A stratum with at most this many subsets is tabulated; drawing from it is then a look-up."""

_BLOCK_CELLS: Final = 1 << 22
"""Cells of the label matrix that are held at once: 4 MB of labels."""

_KEPT_BYTES: Final = 1 << 26
"""Drawn labels that are kept for the next outcome of the same arms: 64 MB of bits."""

_PRODUCT_CELLS: Final = 1 << 16
"""Cells that are multiplied at once: they stay in the cache, and BLAS keeps so small a product in one thread, so that the sums
are the same bits whatever the number of threads, and no time goes into waking them."""


@lru_cache(maxsize=64)
def _members(rows: int, size: int) -> NDArray[np.intp]:
    """All subsets of `size` out of `rows`, shape (subsets, size)."""
    return np.array(list(combinations(range(rows), size)), dtype=np.intp).reshape(comb(rows, size), size)


def all_sums(columns: Floats, size: int) -> Floats:
    """Sum `columns`, shape (rows, k), over every subset of `size` rows; shape (subsets, k)."""
    sums: Floats = columns[_members(columns.shape[0], size)].sum(axis=1)
    return sums


def drawn_sums(columns: Floats, size: int, *, draws: int, rng: np.random.Generator) -> Floats:
    """Sum `columns`, shape (rows, k), over `draws` subsets of `size` rows, each subset equally likely; shape (draws, k).

    Memory is bounded by the block size and the result, whatever the number of rows and draws.
    """
    rows = columns.shape[0]
    if comb(rows, size) <= TABLE_LIMIT:
        table = all_sums(columns, size)
        return table[rng.integers(table.shape[0], size=draws)]
    minority = min(size, rows - size)
    sums = np.empty((draws, columns.shape[1]))
    step, done = max(1, _PRODUCT_CELLS // rows), 0
    for masks in _remembered(draws, rows, minority, rng):
        for first in range(0, masks.shape[0], step):
            part = masks[first : first + step]
            sums[done : done + part.shape[0]] = part.astype(np.float64) @ columns
            done += part.shape[0]
    return sums if minority == size else columns.sum(axis=0) - sums


_memory: OrderedDict[tuple[object, ...], tuple[list[NDArray[np.uint8]], Mapping[str, Any]]] = OrderedDict()


def _remembered(draws: int, rows: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    """Yield the masks of `draws` subsets, block by block; those of a generator in the same state are drawn once.

    Outcomes of the same two arms permute the same labels, and drawing these takes most of a test. What is kept is packed to bits
    and bounded by `_KEPT_BYTES`; the generator is left as drawing would have left it.
    """
    key = (repr(rng.bit_generator.state), draws, rows, size)
    block = max(1, _BLOCK_CELLS // rows)
    if (known := _memory.get(key)) is not None:
        _memory.move_to_end(key)
        rng.bit_generator.state = known[1]
        yield from (np.unpackbits(packed, axis=1, count=rows).view(np.bool_) for packed in known[0])
        return
    kept: list[NDArray[np.uint8]] | None = [] if draws * rows <= 8 * _KEPT_BYTES else None
    for start in range(0, draws, block):
        masks = _draw_masks(min(block, draws - start), rows, size, rng)
        if kept is not None:
            kept.append(np.packbits(masks, axis=1))
        yield masks
    if kept is not None:
        _memory[key] = kept, rng.bit_generator.state
        while sum(packed.nbytes for one, _ in list(_memory.values()) for packed in one) > _KEPT_BYTES:
            _memory.popitem(last=False)


def _draw_masks(count: int, rows: int, size: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw `count` uniform subsets of `size` of `rows`, shape (count, rows).

    Each row starts as independent coins of roughly the right chance; then members are added or removed uniformly at random
    until the size is right. Start and repair treat all positions alike, so every subset of that size is equally likely, at
    the price of one random byte a cell instead of a sort.
    """
    coin = size * 256 // rows
    mask: NDArray[np.bool_] = np.frombuffer(rng.bytes(count * rows), dtype=np.uint8).reshape(count, rows) < coin
    missing = size - np.count_nonzero(mask, axis=1)
    while (open_rows := np.flatnonzero(missing)).size:
        column = rng.integers(rows, size=open_rows.size)
        add = missing[open_rows] > 0
        useful = mask[open_rows, column] != add
        mask[open_rows[useful], column[useful]] = add[useful]
        missing[open_rows[useful]] -= np.where(add[useful], 1, -1)
    return mask
