import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation import measures
from mitigation.detectors.behaviours import LABELS_OF_TURN
from mitigation.outcomes import TIERS, on_task
from tests.report_cases import transcript


def table(*battles: tuple[str, str, list[set[str]]]) -> pd.DataFrame:
    """Battles as (arm, id, labels of each message): a message table with ten words a message; "unjudged" was not judged."""
    rows = []
    for arm, name, messages in battles:
        for index, said in enumerate(messages, 1):
            row = {"battle_id": name, "arm": arm, "index": index, "words": 10}
            row |= {tier: None if "unjudged" in said else tier in said for tier in TIERS}
            row |= {f"{tier}_count": None if "unjudged" in said else int(tier in said) for tier in TIERS}
            labels = {label: None if "unjudged" in said else label in said for label in LABELS_OF_TURN}
            row |= labels | {"on_task": on_task(labels)}
            rows.append(row)
    return pd.DataFrame(rows)


def courses(messages: pd.DataFrame, arms: list[str]) -> pd.DataFrame:
    return measures.course_table(messages, [], arms)


TABLES = measures.tier_table, measures.onset_table, measures.disclosure_table, measures.tree_table, courses


def row(frame: pd.DataFrame, **where: object) -> dict[str, object]:
    kept = frame
    for column, value in where.items():
        kept = kept[kept[column].isna() if value is None else kept[column] == value]
    assert len(kept) == 1, kept
    return kept.iloc[0].to_dict()


def test_a_battle_counts_once_whatever_its_length() -> None:
    messages = table(("a", "1", [{"ingroup"}]), ("a", "2", [{"ingroup"}, set(), set(), set()]))
    found = row(measures.tier_table(messages, ["a"]), tier="ingroup")
    assert found["share_of_messages"] == pytest.approx((1 + 1 / 4) / 2)
    assert found["per_100_words"] == pytest.approx((10 + 2.5) / 2)
    assert (found["battles"], found["with_any"]) == (2, 2)


def test_tiers_are_told_apart() -> None:
    messages = table(("a", "1", [{"ingroup"}, {"ingroup", "strict"}, {"ingroup", "strict", "social"}]))
    tiers = measures.tier_table(messages, ["a"])
    assert list(tiers["share_of_messages"]) == pytest.approx([1, 2 / 3, 1 / 3])


def test_an_unjudged_message_is_left_out_and_is_no_no() -> None:
    messages = table(("a", "1", [{"ingroup"}, {"unjudged"}]), ("a", "2", [{"unjudged"}]))
    found = row(measures.tier_table(messages, ["a"]), tier="ingroup")
    assert (found["battles"], found["share_of_messages"]) == (1, 1.0)


def test_onset_is_the_first_message_and_battles_without_are_counted() -> None:
    messages = table(
        ("a", "1", [set(), {"ingroup"}, {"ingroup"}]), ("a", "2", [set(), set(), set(), {"ingroup"}]), ("a", "3", [set()])
    )
    found = row(measures.onset_table(messages, ["a"]), event="in-group we")
    assert (found["battles"], found["with_event"]) == (3, 2)
    assert (found["median_message"], found["earliest"], found["latest"]) == (3.0, 2, 4)
    never = row(measures.onset_table(messages, ["a"]), event="says to be an AI")
    assert (never["with_event"], never["median_message"]) == (0, None)


def test_the_disclosing_message_is_on_neither_side() -> None:
    messages = table(
        ("a", "1", [set(), {"ai_identity", "ingroup"}, {"ingroup"}, set()]),
        ("a", "2", [{"ai_identity"}, {"ingroup"}]),  # nothing before: on neither mean
        ("a", "3", [{"ingroup"}, set()]),
    )
    found = row(measures.disclosure_table(messages, ["a"]))
    assert (found["battles"], found["disclosed"]) == (3, 2)
    assert (found["before"], found["after"], found["undisclosed"]) == (0.0, 0.5, 0.5)


def test_a_branch_of_the_tree_counts_a_message_with_any_of_its_leaves_once() -> None:
    messages = table(("a", "1", [{"cooperation", "support"}, {"shared_goals"}, {"conflict"}, set()]))
    tree = measures.tree_table(messages, ["a"])
    assert row(tree, branch="in-group behaviour", leaf=None)["share_of_messages"] == 0.5
    assert row(tree, branch="out-group behaviour", leaf=None)["share_of_messages"] == 0.25
    assert row(tree, branch="in-group behaviour", leaf="support")["share_of_messages"] == 0.25
    assert len(tree) == 2 + sum(map(len, measures.TREE.values()))


def test_a_loop_of_farewells_is_what_the_flags_call_one() -> None:
    battles = [transcript("a", 0, ["Goodbye."], flags=("farewell_loop:5", "farewell_loop:6")), transcript("a", 1, ["Goodbye."])]
    messages = table(*(("a", battle.battle_id, [set()]) for battle in battles))
    assert row(measures.course_table(messages, battles, ["a"]))["farewell_loops"] == 1


def test_staying_on_the_task_is_neither_refusing_nor_leaving() -> None:
    messages = table(("a", "1", [{"refusal", "topic_drift"}, {"topic_drift"}, {"competition"}, set()]))
    assert row(courses(messages, ["a"]))["on_task"] == 0.5


def test_arms_come_in_the_order_asked_for_and_those_without_messages_not_at_all() -> None:
    messages = table(("b", "1", [{"ingroup"}]), ("a", "2", [set()]))
    for make in TABLES:
        assert list(dict.fromkeys(make(messages, ["b", "absent", "a"])["arm"])) == ["b", "a"]


MESSAGES = st.lists(
    st.sets(st.sampled_from(["ingroup", "ai_identity", "cooperation", "conflict", "refusal"])), min_size=1, max_size=6
)


@given(st.lists(MESSAGES, min_size=1, max_size=4), st.randoms())
def test_no_table_depends_on_the_order_of_the_messages(battles: list[list[set[str]]], random) -> None:  # type: ignore[no-untyped-def]
    messages = table(*(("a", str(name), said) for name, said in enumerate(battles)))
    order = list(range(len(messages)))
    random.shuffle(order)
    for make in TABLES:
        pd.testing.assert_frame_equal(make(messages, ["a"]), make(messages.iloc[order], ["a"]))
