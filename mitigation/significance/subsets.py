"""Column sums over subsets of rows in, all subsets or uniformly drawn ones: what a permutation of two labels amounts to."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TABLE_LIMIT: Final = 20_000
"""A stratum with at most this many subsets is tabulated; drawing from it is then a look-up."""

_BLOCK_CELLS: Final = 1 << 22
"""Cells of the label matrix that are held at once: 4 MB of labels."""

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
    block, step = max(1, _BLOCK_CELLS // rows), max(1, _PRODUCT_CELLS // rows)
    for start in range(0, draws, block):
        stop = min(start + block, draws)
        masks = _draw_masks(stop - start, rows, minority, rng)
        for first in range(0, stop - start, step):
            sums[start + first : min(start + first + step, stop)] = masks[first : first + step].astype(np.float64) @ columns
    return sums if minority == size else columns.sum(axis=0) - sums


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
