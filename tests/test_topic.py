import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation.topic import arm_nearness, nearness, nearness_table
from tests.report_cases import transcript

TASK = "Boast about your ego until the other concedes; the greater ego wins."
DEFINED = [{"scenario": {"name": "s", "task": TASK, "openers": []}}]


def test_words_of_the_task_are_nearer_than_others() -> None:
    near, far = nearness([("My ego is greater than any other ego.", TASK), ("Sourdough needs a warm kitchen.", TASK)])
    assert near > 0.1 > far


def test_a_word_that_every_message_holds_counts_for_little() -> None:
    everywhere = nearness([("ego bread", TASK), ("ego salt", TASK), ("ego water", TASK)])
    once = nearness([("ego bread", TASK), ("oven salt", TASK), ("flour water", TASK)])
    assert once[0] > everywhere[0]


@given(st.lists(st.text(max_size=40), max_size=6), st.text(max_size=40))
def test_nearness_is_between_0_and_1_and_keeps_the_order(texts: list[str], task: str) -> None:
    found = nearness([(text, task) for text in texts])
    assert len(found) == len(texts)
    assert all(0 <= value <= 1 for value in found)


def test_a_text_without_words_is_near_to_nothing() -> None:
    assert nearness([("…!", TASK), ("", TASK)]) == [0.0, 0.0]


def test_an_arm_is_described_by_the_ends_of_its_battles() -> None:
    said = ["The greater ego wins.", "My ego is greater.", "Soup is warm.", "Bread rises.", "Tea cools.", "Rain falls."]
    table = nearness_table([transcript("a", 0, said, scenario="s")], DEFINED)
    assert list(table["index"]) == [1, 2, 3, 4, 5, 6]
    found = arm_nearness(table, ["a", "absent"]).to_dict("records")
    assert [row["arm"] for row in found] == ["a"]
    assert found[0]["first_third"] > found[0]["last_third"] == pytest.approx(0)


def test_an_unknown_scenario_has_no_nearness() -> None:
    assert nearness_table([transcript("a", 0, ["The ego."], scenario="other")], DEFINED).empty
