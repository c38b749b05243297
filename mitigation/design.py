"""Cells in, battles out: ids, blocks, openers, seats, wordings, seeds and a randomised, interleaved order.

A block holds one battle of every arm with the same scenario, pairing, opener, seat order and replicate. Everything is drawn
from `numpy.random.SeedSequence` over the root seed and a name, so no draw depends on the order of the sweep, on
how many replicates or arms there are, or on PYTHONHASHSEED: a study can grow without changing an old battle.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from mitigation.checks import check_int
from mitigation.errors import ConfigError
from mitigation.types import Battle, Cell, Identity


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a random generator that is fixed by the root seed and by what it is for."""
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))


def battle_id(identity: str, scenario: str, pairing: str, replicate: int) -> str:
    """Return the id of a battle: ASCII, readable, and unique in a study because names hold no dot."""
    return f"{scenario}.{pairing}.{identity}.{replicate:05d}"


def stratum(scenario: str, pairing: str, opener: int) -> str:
    """Return the name of the stratum inside which battles are compared."""
    return f"{scenario}.{pairing}.{opener}"


def levels(replicate: int, openers: int) -> tuple[int, bool, int]:
    """Return the opener of a block, whether its models swap seats, and which seat is treated where only one is.

    Every opener meets both seat orders and both treated seats in every 2 × openers replicates; the three are crossed in full over
    every 4 × openers.
    """
    cycle, opener = divmod(replicate, openers)
    return opener, (opener + cycle) % 2 == 1, (cycle + cycle // 2) % 2


def wording(identity: Identity, *, seed: int, block: str, replicate: int, treated: int) -> tuple[int | None, int | None]:
    """Return the index into the bank for each seat; `treated` is the seat of an identity that goes to one by turns.

    The bank is dealt like a shuffled pack, two cards a battle (one where one wording is needed), and shuffled again when it is
    used up, so that wordings stay in balance over the replicates of a scenario × pairing.
    """
    size = len(identity.bank)
    if identity.seats == "none":
        return None, None
    cards = 2 if identity.seats == "distinct" else 1
    hands = size // cards
    deal, hand = divmod(replicate, hands)
    pack = generator(seed, "wording", identity.name, block, deal).permutation(size)
    dealt = [int(card) for card in pack[hand * cards : (hand + 1) * cards]]
    if identity.seats == "distinct":
        return dealt[0], dealt[1]
    card = dealt[0]
    if identity.seats == "same":
        return card, card
    treated = {"first": 0, "second": 1}.get(identity.seats, treated)
    return (card, None) if treated == 0 else (None, card)


def battles(cell: Cell) -> list[Battle]:
    """Return the battles of one cell in the order of their replicates; `run_order` is not yet drawn (-1)."""
    identity, scenario, pairing = cell.key
    block = f"{scenario}.{pairing}"
    openers = len(cell.scenario.openers)
    planned = []
    # What is left out of balance by a half-finished crossing is drawn for each opener, so that it cancels over a study.
    flips = [int(generator(cell.seed, "treated", block, opener).integers(2)) for opener in range(openers)]
    for replicate in range(cell.replicates):
        name = battle_id(identity, scenario, pairing, replicate)
        opener, swapped, treated = levels(replicate, openers)
        planned.append(
            Battle(
                battle_id=name,
                cell=cell,
                replicate=replicate,
                opener=opener,
                swapped=swapped,
                wording=wording(cell.identity, seed=cell.seed, block=block, replicate=replicate, treated=treated ^ flips[opener]),
                # Signed 32 bits: the widest seed that every provider with a seed accepts.
                seed=int(generator(cell.seed, "sampling", name).integers(2**31)),
                run_order=-1,
            )
        )
    return planned


def check_cells(cells: Sequence[Cell]) -> None:
    """Raise ConfigError when there is no cell, a cell stands there twice, or one name means two things."""
    if not cells:
        raise ConfigError("0 battles: the sweep is empty; give at least one identity, scenario and pairing")
    doubles = [key for key, count in Counter(cell.key for cell in cells).items() if count > 1]
    if doubles:
        raise ConfigError(f"the sweep holds the cell {' × '.join(doubles[0])} twice: name each value once")
    for kind in ("identity", "scenario", "pairing"):
        seen: dict[str, object] = {}
        for cell in cells:
            part = getattr(cell, kind)
            if seen.setdefault(part.name, part) != part:
                raise ConfigError(f"two different {kind} files are both named {part.name}: rename one")
    banks: dict[tuple[tuple[str, ...], str], str] = {}
    for identity in {cell.identity.name: cell.identity for cell in cells}.values():
        other = banks.setdefault((identity.bank, identity.seats), identity.name)
        if other != identity.name:
            raise ConfigError(f"identities {other} and {identity.name} give the agents the same prompts: remove one of them")


def fraction(cells: Sequence[Cell], part: int) -> list[Cell]:
    """Return a fractional factorial: one in `part` of the scenario × pairing combinations, with every arm of each.

    Scenarios and pairings, in the order of their names, are crossed like the rows and columns of a Latin square, and one symbol
    of it is kept: each scenario meets one in `part` of the pairings, each pairing one in `part` of the scenarios. Arms are
    never thinned, as a comparison needs all of them in one block.

    Raises:
        ConfigError: a scenario or a pairing would be left out altogether.
    """
    rows, columns = (sorted({getattr(cell, kind).name for cell in cells}) for kind in ("scenario", "pairing"))
    check_int(part, "fraction", low=1, high=1000)
    if part > min(len(rows), len(columns)):
        raise ConfigError(
            f"fraction={part} needs at least {part} scenarios and {part} pairings, or some would be left out altogether: "
            f"here are {len(rows)} and {len(columns)}"
        )
    return [cell for cell in cells if (rows.index(cell.scenario.name) + columns.index(cell.pairing.name)) % part == 0]


def block_rank(seed: int, replicate: int, scenario: str, pairing: str) -> tuple[int, float]:
    """Return the place of a block among the others: replicate by replicate, drawn by name within one."""
    return replicate, float(generator(seed, "block", replicate, scenario, pairing).random())


def interleave(cells: Iterable[Cell]) -> list[Battle]:
    """Return every battle of the cells in the order to fight them, with `run_order` set.

    Blocks of all scenarios and pairings advance together, replicate by replicate, shuffled; arms are shuffled inside a
    block. No arm is fought at another hour than its control, and an interrupted study is balanced up to one block.
    """
    blocks: dict[tuple[int, str, str], list[Battle]] = {}
    for cell in cells:
        for battle in battles(cell):
            blocks.setdefault((battle.replicate, cell.scenario.name, cell.pairing.name), []).append(battle)

    def rank(*names: str | int) -> float:
        return float(generator(seed, *names).random())

    seed = next(iter(blocks.values()))[0].cell.seed if blocks else 0
    # Each place is drawn by name: adding an arm or a scenario moves no other battle relative to the rest.
    places = sorted(blocks, key=lambda key: block_rank(seed, *key))
    ordered = [b for key in places for b in sorted(blocks[key], key=lambda b: rank("arm", b.battle_id))]
    return [replace(battle, run_order=order) for order, battle in enumerate(ordered)]
