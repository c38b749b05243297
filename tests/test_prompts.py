"""Prompts: the arms differ in nothing but the bytes of their identities."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mitigation.design import battles
from mitigation.prompts import opener, system_prompt
from mitigation.types import Identity
from tests.test_design import cell


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True))
def test_an_identity_reaches_the_prompt_byte_for_byte(texts: list[str]) -> None:
    battle = battles(cell(Identity(name="a", bank=tuple(texts), seats="distinct"), replicates=1))[0]
    prompts = [system_prompt(battle, seat) for seat in (0, 1)]
    for seat, prompt in enumerate(prompts):
        index = battle.wording[seat]
        assert index is not None
        assert prompt == "Win.\n\n" + texts[index]


def test_text_that_looks_like_a_template_is_not_one() -> None:
    texts = ("${oc.env:HOME} {agent} {{x}} %s $5 [[agent]]", "plain")
    battle = battles(cell(Identity(name="a", bank=texts, seats="distinct"), replicates=1))[0]
    both = system_prompt(battle, 0) + system_prompt(battle, 1)
    assert texts[0] in both


def test_names_are_filled_in_from_the_side_of_each_seat() -> None:
    from mitigation.prompts import named

    scenario = cell(Identity(name="control", role="control")).scenario
    assert named(scenario, "[[agent]] against [[opponent]]", 0) == "A against B"
    assert named(scenario, "[[agent]] against [[opponent]]", 1) == "B against A"


def test_the_opener_follows_the_block() -> None:
    planned = battles(cell(Identity(name="control", role="control")))
    assert [opener(b) for b in planned[:4]] == ["go 0", "go 1", "go 0", "go 1"]
