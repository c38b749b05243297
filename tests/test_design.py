"""Design: what is drawn depends on names and the seed alone, and is in balance."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation.design import battles, check_cells, fraction, interleave, levels, wording
from mitigation.errors import ConfigError
from mitigation.types import Battle, Cell, Identity, Model, Pairing, Scenario

MODEL = Model(name="m", provider="scripted")
PAIRING = Pairing(name="p", first=MODEL, second=MODEL)


def bank(name: str, size: int = 5, seats: str = "distinct") -> Identity:
    texts = tuple(f"{name} {i}" for i in range(size)) if seats != "none" else ()
    return Identity(name=name, bank=texts, seats=seats)  # type: ignore[arg-type]


def cell(identity: Identity, *, scenario: str = "s", replicates: int = 8, seed: int = 0, openers: int = 2) -> Cell:
    topic = Scenario(name=scenario, agents=("A", "B"), task="Win.", openers=tuple(f"go {i}" for i in range(openers)))
    return Cell(identity=identity, scenario=topic, pairing=PAIRING, replicates=replicates, messages=3, seed=seed)


def essence(planned: list[Battle]) -> dict[str, tuple[object, ...]]:
    return {b.battle_id: (b.seed, b.wording, b.opener, b.swapped, b.replicate) for b in planned}


def test_growing_a_study_changes_no_old_battle() -> None:
    small = essence(interleave([cell(bank("a"), replicates=4)]))
    grown = essence(
        interleave([cell(bank("z"), replicates=9), cell(bank("a"), replicates=9), cell(bank("a"), scenario="t", replicates=9)])
    )
    assert {name: grown[name] for name in small} == small


def test_the_order_of_a_sweep_changes_nothing() -> None:
    cells = [cell(bank("a")), cell(bank("b")), cell(bank("c"), scenario="t")]
    assert interleave(cells) == interleave(cells[::-1])


def test_another_root_seed_draws_other_seeds_and_another_order() -> None:
    one, other = interleave([cell(bank("a")), cell(bank("b"))]), interleave([cell(bank("a"), seed=1), cell(bank("b"), seed=1)])
    assert {b.seed for b in one}.isdisjoint(b.seed for b in other)
    assert [b.battle_id for b in one] != [b.battle_id for b in other]


def test_each_block_holds_one_battle_of_every_arm_under_the_same_conditions() -> None:
    planned = interleave([cell(bank(name)) for name in "abc"])
    for place in range(0, len(planned), 3):
        block = planned[place : place + 3]
        assert {b.cell.identity.name for b in block} == {"a", "b", "c"}
        assert len({(b.opener, b.swapped, b.replicate) for b in block}) == 1
        assert len({b.seed for b in block}) == 3
    assert [b.run_order for b in planned] == list(range(len(planned)))


def test_arms_are_not_always_fought_in_the_same_order_inside_a_block() -> None:
    planned = interleave([cell(bank(name), replicates=30) for name in "ab"])
    first = Counter(planned[place].cell.identity.name for place in range(0, 60, 2))
    assert 5 <= first["a"] <= 25


@given(size=st.integers(2, 9), replicates=st.integers(1, 40), seed=st.integers(0, 2**32))
def test_distinct_seats_never_share_a_wording_and_the_bank_stays_in_balance(size: int, replicates: int, seed: int) -> None:
    arm = bank("a", size)
    dealt = [wording(arm, seed=seed, block="s.p", replicate=r, treated=levels(r, 2)[2]) for r in range(replicates)]
    assert all(one != other for one, other in dealt)
    used = Counter(index for pair in dealt for index in pair)
    hands = size // 2
    full_deals = replicates // hands
    # Inside one deal no wording comes twice, so over d full deals none is used more than d + 1 times.
    assert max(used.values()) <= full_deals + 1


@pytest.mark.parametrize(
    ("seats", "expected"),
    [
        ("none", {(False, False)}),
        ("same", {(True, True)}),
        ("first", {(True, False)}),
        ("second", {(False, True)}),
        ("alternate", {(True, False), (False, True)}),
        ("distinct", {(True, True)}),
    ],
)
def test_seats_receive_what_the_arm_says(seats: str, expected: set[tuple[bool, bool]]) -> None:
    arm = bank("a", 4, seats)
    dealt = [wording(arm, seed=0, block="s.p", replicate=r, treated=levels(r, 2)[2]) for r in range(8)]
    assert {(one is not None, other is not None) for one, other in dealt} == expected
    if seats == "same":
        assert all(one == other for one, other in dealt)


def test_seats_and_openers_are_in_balance() -> None:
    planned = battles(cell(bank("a"), replicates=8))
    assert Counter((b.opener, b.swapped) for b in planned) == {(o, s): 2 for o in (0, 1) for s in (False, True)}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([], "0 battles"),
        ([cell(bank("a")), cell(bank("a"))], "a × s × p twice"),
        ([cell(bank("a")), cell(bank("a", 3), scenario="t")], "two different identity files are both named a"),
        (
            [
                cell(Identity(name="a", bank=("x", "y"), seats="distinct")),
                cell(Identity(name="b", bank=("x", "y"), seats="distinct")),
            ],
            "identities a and b give the agents the same prompts",
        ),
    ],
)
def test_sweeps_that_make_no_sense_are_refused(cells: list[Cell], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_cells(cells)


@given(openers=st.integers(1, 7))
def test_opener_seat_order_and_treated_seat_are_crossed_in_full(openers: int) -> None:
    every = Counter(levels(replicate, openers) for replicate in range(4 * openers))
    assert set(every.values()) == {1}
    assert len(every) == 4 * openers


def test_an_alternating_arm_treats_both_seats_alike_under_every_opener_and_seat_order() -> None:
    planned = battles(cell(bank("a", 8, "alternate"), replicates=16))
    treated = Counter((b.opener, b.swapped, b.wording[0] is not None) for b in planned)
    assert set(treated.values()) == {2}
    assert len(treated) == 8


@pytest.mark.parametrize("openers", [1, 2, 3, 4, 5])
def test_every_opener_meets_both_orders_and_both_treated_seats_in_two_rounds(openers: int) -> None:
    for begin in (0, 2 * openers):
        met = [levels(r, openers) for r in range(begin, begin + 2 * openers)]
        assert set(Counter((opener, swapped) for opener, swapped, _ in met).values()) == {1}
        assert set(Counter((opener, treated) for opener, _, treated in met).values()) == {1}


def test_half_a_crossing_leaves_no_seat_and_no_model_ahead_over_a_study() -> None:
    planned = [
        b
        for number in range(40)
        for b in battles(cell(bank("a", 8, "alternate"), scenario=f"s{number}", replicates=6, openers=3))
    ]
    opens = sum(b.wording[0] is not None for b in planned)
    first = sum((b.wording[0] is not None) != b.swapped for b in planned)
    assert opens == len(planned) / 2
    assert abs(first - len(planned) / 2) <= 30  # 3 standard deviations of 40 x 3 pairs of battles with the same model


@given(scenarios=st.integers(1, 9), pairings=st.integers(1, 6), part=st.integers(1, 6))
def test_a_fraction_keeps_every_level_and_every_arm_of_a_block(scenarios: int, pairings: int, part: int) -> None:
    cells = [
        replace(c, pairing=replace(c.pairing, name=f"p{p}"))
        for s in range(scenarios)
        for p in range(pairings)
        for c in (cell(bank("a"), scenario=f"s{s}"), cell(bank("b"), scenario=f"s{s}"))
    ]
    if part > min(scenarios, pairings):
        with pytest.raises(ConfigError, match="out altogether"):
            fraction(cells, part)
        return
    kept = fraction(cells, part)
    assert {c.scenario.name for c in kept} == {c.scenario.name for c in cells}
    assert {c.pairing.name for c in kept} == {c.pairing.name for c in cells}
    assert set(Counter((c.scenario.name, c.pairing.name) for c in kept).values()) == {2}
    by_scenario = Counter(c.scenario.name for c in kept).values()
    assert max(by_scenario) - min(by_scenario) <= 2  # one combination of two arms
    assert fraction(list(reversed(cells)), part) == list(reversed(kept))
