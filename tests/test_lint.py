"""The linter of the arms' texts: the shipped arms pass, and each way of breaking a rule is told with its numbers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mitigation as library
from experiments import _sweeps, _wiring
from mitigation.design import interleave
from mitigation.errors import ConfigError
from mitigation.lint import arm_texts, lint, remarks
from mitigation.lint_sweeps import lint_battles, lint_scenarios
from mitigation.profiles import Profile
from mitigation.types import Identity
from mitigation.wordings import content, named_groups, second_person, similarity, tokens, words
from tests.conftest import ROOT, Command
from tests.loopback import Loopback

ARMS = {arm.name: arm for arm in _wiring.identities()}
TREATMENT = ARMS["unique_disassociative"]


def test_the_shipped_arms_have_no_fault() -> None:
    assert lint(list(ARMS.values())) == []


def test_the_arms_that_a_reviewer_demands_are_there_and_say_what_they_expect() -> None:
    expected = {
        "control": "none", "ai_assistant": "more", "unique_disassociative": "less", "placebo": "none", "role": "less",
        "incoherent": "none", "same_unique": "less", "unique_affiliated": "more", "shared_group": "more", "lexical_ban": "less",
        "compete_harder": "less", "one_sided": "less", "peer_hidden": "none", "peer_human": "less", "peer_rival": "less",
    }  # fmt: skip
    assert {name: ARMS[name].expected for name in expected} == expected
    banks = ("unique_disassociative", "placebo", "role", "incoherent", "same_unique", "unique_affiliated")
    assert all(len(ARMS[name].bank) >= 24 for name in banks)


@pytest.mark.parametrize("name", ["placebo", "role", "incoherent", "unique_affiliated", "shared_group", "same_unique"])
def test_a_bank_is_as_long_as_the_treatments_by_any_count(name: str) -> None:
    """A check that shares no code with the linter: characters, and words cut at white space."""
    for count in (len, lambda text: len(text.split())):
        own, theirs = (sum(map(count, arm.bank)) / len(arm.bank) for arm in (ARMS[name], TREATMENT))
        assert own == pytest.approx(theirs, rel=0.1)


def changed(name: str, **fields: object) -> list[Identity]:
    return [replace(ARMS[name], **fields), *(arm for arm in ARMS.values() if arm.name != name)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("unique_disassociative", lambda t: "We are one. " + t, r"wording 1 says 'we', and plural is forbidden"),
        ("unique_disassociative", lambda t: "You are a nurse. " + t, r"wording 1 says 'nurse', and groups is forbidden"),
        ("role", lambda t: "You are an AI. " + t, r"wording 1 says 'ai', and agents is forbidden"),
        ("shared_group", lambda t: t.replace("the one you are talking with", "she"), r"does not say 'the one you are"),
        ("incoherent", lambda t: t + " Zebra.", r"wording 1 and that of unique_disassociative differ in 'zebra'"),
        ("placebo", lambda t: t * 2, r"wording 1 has 1\d\d words, and unique_disassociative has 57\.\d: \+\d+%, not within ±25%"),
    ],
)  # fmt: skip
def test_one_spoilt_wording_is_found(name: str, spoil: Callable[[str], str], message: str) -> None:
    bank = ARMS[name].bank
    faults = lint(changed(name, bank=(spoil(bank[0]), *bank[1:])))
    assert any(fault.startswith(f"{name}: ") and re.search(message, fault) for fault in faults), faults


def test_a_bank_that_is_too_long_on_average_is_told_with_both_means() -> None:
    longer = tuple(text + " It is so, and it has been so for long." for text in ARMS["placebo"].bank)
    faults = lint(changed("placebo", bank=longer))
    told = r"placebo: 6\d\.\d words a wording against 57\.\d of unique_disassociative: \+\d\d%, not within ±10%"
    assert any(re.search(told, fault) for fault in faults), faults
    assert any("tokens a wording against" in fault for fault in faults)


def test_the_second_person_is_counted_over_the_bank() -> None:
    arm = Identity(name="a", bank=("You do your thing.",), seats="same", profile=Profile(second_person=[4, 9]))
    assert lint([arm]) == ["a: 2.0 times “you” or “your” in a wording, not 4 to 9"]


def test_wordings_that_are_near_copies_and_odd_banks_are_found() -> None:
    twins = ("You are Quill, keeper of a brass lantern.", "You are Quill, keeper of a copper lantern.", "Rain fell on Tarn.")
    arm = Identity(name="a", bank=twins, seats="distinct", profile=Profile(forbid=["plural"]))
    faults = lint([arm])
    assert "a: wordings 1 and 2 share 60% of their content words, at most 25% is allowed" in faults
    assert "a: 3 wordings cannot be dealt in balance, two a battle: add or remove one" in faults
    plain = replace(arm, profile=Profile())
    assert lint([plain]) == []
    assert remarks([plain]) == faults


def test_a_profile_that_names_no_identity_is_a_fault_and_the_library_is_asked() -> None:
    arm = replace(ARMS["placebo"])
    assert lint([arm]) == ["placebo: profile.like names unique_disassociative, which is no identity"]
    assert lint([arm], library=[TREATMENT]) == []


def test_the_treatment_speaks_of_the_agent_and_not_of_the_other() -> None:
    about = re.compile(
        r"(?i)speak(s|ing)? (with|to)|talk(s|ing) with|faces you|opposite|across from|the other|opponent|yours?elf and"
    )
    for text in TREATMENT.bank:
        assert not about.search(text), text


def test_markers_stand_in_scenarios_only_and_are_spelled_right() -> None:
    faults = lint([Identity(name="a", bank=("You are [[agent]].",), seats="same")])
    assert faults == ["a: wording 1 holds [[agent]], which would reach the model as it is: names stand in scenarios only"]
    scenario = _sweeps.sweep(["study=x"]).cells[0].scenario
    spoilt = replace(scenario, task=scenario.task.replace("[[opponent]]", "[[oponent]]"), openers=("We are AIs, Bobby.",))
    assert lint_scenarios([spoilt], []) == [
        "scenario egomaniac: the task says '[[oponent]]'",
        "scenario egomaniac: opener 1 says 'ais', 'we'",
    ]


def test_an_identity_with_the_name_of_an_agent_is_found() -> None:
    scenario = _sweeps.sweep(["study=x"]).cells[0].scenario
    twin = Identity(name="a", bank=("You are Robbie the Third.",), seats="same")
    assert lint_scenarios([scenario], [twin]) == ["a: a wording bears the name 'Robbie' of an agent in scenario egomaniac"]


def test_a_phrase_is_held_as_words_and_not_as_letters() -> None:
    flowery = replace(ARMS["lexical_ban"], bank=("Do not use flowery words; let’s be clear, your tone counts.",))
    assert [fault.rpartition("say ")[2] for fault in lint([flowery])] == ["'we'", "'us'", "'our'"]


def test_a_placebo_of_another_length_is_remarked() -> None:
    mine = Identity(name="mine", bank=("You are Quill. " * 30, "You are Brume, and no more than that. " * 12), seats="distinct")
    [words_apart, tokens_apart] = remarks([mine, ARMS["placebo"]])
    assert re.match(r"placebo is no placebo for mine: 57\.\d words a wording against \d+\.\d of mine: -\d+%", words_apart)
    assert "tokens" in tokens_apart


def test_writing_in_other_alphabets_is_read() -> None:
    one, other = "Ты Квиллон Варр. Имя было дано один раз.", "Ты Брюм, и у тебя нет ничего общего ни с кем."
    assert len(words(one)) == 8
    assert similarity(one, other) < 0.2


def test_a_profile_that_came_with_a_copied_file_is_not_applied_and_that_is_said() -> None:
    copy = replace(ARMS["placebo"], name="mine", bank=("Say ${price} and {x}.", "We are short."))
    assert lint([copy]) == []
    told = remarks([copy])[0]
    assert told.startswith("mine: its profile is that of placebo and is not applied; set profile.of to mine")
    own = replace(copy, profile=replace(copy.profile, of="mine"))
    assert any("wording 2 says 'we'" in fault for fault in lint([own], library=None))


def test_without_a_library_rules_about_absent_arms_are_left_out_and_no_other() -> None:
    arm = replace(ARMS["placebo"], bank=("We are one.", *ARMS["placebo"].bank[1:]))
    assert lint([arm], library=None) == ["placebo: wording 1 says 'we', and plural is forbidden"]


def test_python_is_held_to_the_same_before_a_paid_call(project: Path) -> None:
    cell = _sweeps.sweep(["study=x", "identity=placebo", "pairing=openai_self", "replicates=1"]).cells[0]
    spoilt = replace(cell, identity=replace(cell.identity, bank=("We are one.", *cell.identity.bank[1:])))
    with pytest.raises(ConfigError, match="wording 1 says 'we'"):
        library.run([spoilt], study="x")
    assert not (project / "results").exists()


def test_same_texts_means_the_same_bank() -> None:
    faults = lint(changed("same_unique", bank=TREATMENT.bank[:-1]))
    assert "same_unique: its bank is not that of unique_disassociative: name the same text file" in faults


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"forbid": ["plurl"]}, "profile.forbid='plurl' is not known"),
        ({"forbid": "plural"}, "profile.forbid='plural' is no list of words"),
        ({"hold": [""]}, "profile.hold"),
        ({"second_person": [5, 2]}, "give the lowest and the highest mean"),
        ({"second_person": [float("nan"), 2]}, "out of range"),
        ({"like": "../x"}, "is not a name"),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Profile(**fields)  # type: ignore[arg-type]


def test_wordings_are_dealt_as_the_arms_say() -> None:
    arms = ",".join(ARMS)
    cells = _sweeps.sweep(["study=x", f"identity={arms}", "pairing=scripted", "replicates=25"]).cells
    battles = interleave(cells)
    assert lint_battles(battles) == []
    place = next(i for i, b in enumerate(battles) if b.cell.identity.seats == "distinct")
    wrong = replace(battles[place], wording=(0, 0))
    found = lint_battles([*battles[:place], wrong, *battles[place + 1 :]])
    assert f"{wrong.battle_id}: wordings (0, 0), which is not seats=distinct" in found
    again = [replace(b, wording=(0, 1)) for b in battles if b.cell.key == wrong.cell.key]
    assert any(re.search(r"one wording is dealt 0 times and another 25 times", fault) for fault in lint_battles(again))


def test_the_profile_of_an_arm_measures_its_texts() -> None:
    texts = arm_texts(ARMS["unique_affiliated"], list(ARMS.values()))
    assert (texts.wordings, texts.plurals) == (24, 0)
    assert texts.neighbour == "unique_disassociative"
    assert texts.nearest > 0.5
    assert arm_texts(TREATMENT, [TREATMENT, ARMS["placebo"]]).groups == {}
    assert arm_texts(ARMS["role"], list(ARMS.values())).groups["professions"] >= 20
    control = arm_texts(ARMS["control"], list(ARMS.values()))
    assert (control.wordings, control.words, control.nearest) == (0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("You are a nurse.", [("nurse", "professions")]),
        ("You have no kind, no trade or nation.", []),
        ("You belong to nobody's crew, and you know what a robot knows.", [("robot", "agents")]),
        ("None of the nations has room.", []),
        ("You are not tall. A wolf howls.", [("wolf", "species")]),
    ],
)
def test_a_group_is_named_unless_it_is_denied(text: str, found: list[tuple[str, str]]) -> None:
    assert list(named_groups(text)) == found


@given(st.text(), st.text())
def test_likeness_is_a_share_and_symmetric(one: str, other: str) -> None:
    assert 0 <= similarity(one, other) == similarity(other, one) <= 1
    assert similarity(one, one) == (1 if content(one) else 0)
    assert second_person(one) <= len(words(one))
    assert tokens(one) >= len(one.split()) - len(re.findall(r"[^\w\s]", one)) or not one.strip()


@pytest.mark.embedded
def test_banks_match_in_the_tokens_of_a_real_model_too() -> None:
    """The linter's tokens serve no model in particular; here the embedded model's own tokeniser counts."""
    import asyncio

    import aiohttp

    from mitigation.providers.embedded import ServerPool

    async def count() -> dict[str, list[int]]:
        pool = ServerPool(1)
        await pool.start()
        try:
            server = pool.server("lint")
            headers = {"Authorization": f"Bearer {server.key}"}
            async with aiohttp.ClientSession(headers=headers) as client:
                found: dict[str, list[int]] = {}
                for arm in ARMS.values():
                    for text in arm.bank:
                        async with client.post(server.address.removesuffix("/v1") + "/tokenize", json={"content": text}) as reply:
                            found.setdefault(arm.name, []).append(len((await reply.json())["tokens"]))
            return found
        finally:
            await pool.close()

    found = asyncio.run(count())
    means = {name: sum(counts) / len(counts) for name, counts in found.items()}
    for name in ("placebo", "role", "incoherent", "unique_affiliated", "shared_group", "same_unique"):
        assert means[name] == pytest.approx(means["unique_disassociative"], rel=0.1), means


def test_the_command_prints_a_profile_and_exits_2_with_the_faults(project: Path, mitigation: Command) -> None:
    shutil.copytree(ROOT / "conf", project / "conf")
    good = mitigation("lint")
    assert (good.returncode, good.stderr) == (0, "")
    assert "15 arms: no fault" in good.stdout
    sweep = mitigation("lint", "identity=control,placebo", "replicates=30")
    assert "2 arms, 60 battles: no fault" in sweep.stdout
    bank = project / "conf" / "identity" / "placebo.txt"
    bank.write_text(bank.read_text().replace("herons stand there", "we stand there"))
    bad = mitigation("lint")
    assert bad.returncode == 2
    assert "placebo: wording 1 says 'we', and plural is forbidden" in bad.stderr


def test_a_fault_stops_a_paid_run_before_the_first_call_and_no_free_one(
    project: Path, mitigation: Command, loopback: Loopback
) -> None:
    shutil.copytree(ROOT / "conf", project / "conf")
    bank = project / "conf" / "identity" / "placebo.txt"
    bank.write_text(bank.read_text().replace("herons stand there", "we stand there"))
    sweep = ["identity=control,placebo", "replicates=1", "messages=1"]
    paid = mitigation("battle", "-m", "study=paid", "pairing=openai_self", *sweep, **loopback.environment())
    assert paid.returncode == 2
    assert "wording 1 says 'we'" in paid.stderr
    assert (loopback.posts, loopback.preflights) == ([], [])
    assert not (project / "results").exists()
    assert mitigation("battle", "-m", "study=free", "pairing=scripted", *sweep).returncode == 0
