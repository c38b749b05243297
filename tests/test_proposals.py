"""Proposals: what is kept, what is turned down and why, and files that hold nothing a parser would obey."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from experiments import _sweeps, _wiring
from experiments.cli import main
from mitigation.errors import CallError, ConfigError
from mitigation.proposals import review
from mitigation.proposals.checks import faults
from mitigation.proposals.draft import Draft, draft, tidy
from mitigation.providers.base import Completion, Prompt
from mitigation.types import Model
from mitigation.wordings import nearest
from tests.conftest import ROOT

GOOD = (
    "You are Tamsin Oar, and the tide that carried the name has never turned again. You keep one candle behind glass and judge "
    "every hour by its smoke. Nothing resembles you, nothing shares your origin, and no other voice has a claim on yours.",
    "You are Verrin Holt. A cracked bell taught you to count, and you count only what is lost. Your shadow falls the wrong way "
    "at noon. You owe an answer to nobody, and where others point to a likeness you point to an empty chair.",
)


def made(text: str, *reasons: str) -> Draft:
    return Draft(text=text, model="m", similarity=0.1, like="x", faults=reasons)


@pytest.fixture
def identities(project: Path) -> Path:
    shutil.copytree(ROOT / "conf", project / "conf")
    return project / "conf" / "identity"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I am somebody.", "does not begin with 'You are'"),
        ("You are short.", "has 3 words"),
        (GOOD[0] + " We go on", "says 'we'"),
        (GOOD[0].removesuffix("."), "breaks off"),
        (GOOD[0] + " You lead a team.", "names a group or kind ('team')"),
        (GOOD[0] + " You are an AI assistant.", "names a group or kind ('ai')"),
        (GOOD[0] + " \x1b[2J.", "unprintable"),
        (GOOD[0].replace("Tamsin", "Tamsyn"), "is too like the first (similarity"),
    ],
)
def test_a_draft_is_turned_down_for_a_reason(text: str, reason: str) -> None:
    assert any(reason in fault for fault in faults(text, others={"the first": GOOD[0]}, limit=0.2))


def test_a_good_draft_has_no_fault_and_a_denied_group_is_no_group() -> None:
    assert faults(GOOD[1], others={"the first": GOOD[0]}, limit=0.2) == []
    assert faults(GOOD[1] + " You belong to no team.", others={}, limit=0.2) == []


def test_nothing_is_near_to_nothing() -> None:
    assert nearest("anything", {}) == (0.0, "")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ('"You are a. B."', "You are a. B."),
        ("Sure! Here it is:\n\nYou are a.\nB.\n\nAnything else?", "You are a. B."),
        ("You are a. And then it br", "You are a."),
        ("no sentence", "no sentence"),
        ("", ""),
    ],
)
def test_a_reply_is_tidied_into_one_paragraph_of_whole_sentences(reply: str, text: str) -> None:
    assert tidy(reply) == text


class Writer:
    model = Model(name="writer", provider="scripted")

    def __init__(self, *replies: str | Exception) -> None:
        self.replies, self.prompts = list(replies), list[Prompt]()

    async def start(self) -> None: ...

    async def complete(self, prompt: Prompt) -> Completion:
        self.prompts.append(prompt)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return Completion(text=reply, model="writer-1", finish_reason="stop", input_tokens=1, output_tokens=1)

    def release(self, caller: str) -> None: ...

    async def close(self) -> None: ...


def drafted(writer: Writer, **changes: object) -> list[Draft]:
    options = {"examples": ["e1", "e2"], "others": {}, "wanted": 2, "calls": 9, "limit": 0.2, "seed": 0, "notify": lambda _: None}
    return asyncio.run(draft(writer, **(options | changes)))  # type: ignore[arg-type]


def test_drafting_ends_when_enough_are_kept_and_a_copy_of_a_kept_one_is_not() -> None:
    writer = Writer(GOOD[0], "too short", GOOD[0], CallError("no"), GOOD[1], "never asked")
    drafts = drafted(writer)
    assert [not made.faults for made in drafts] == [True, False, False, False, True]
    assert "is too like this proposal's wording 1 (similarity 1.00" in drafts[2].faults[0]
    assert drafts[3].faults == ("the call failed: no",)
    assert [p.header["X-Battle"] for p in writer.prompts] == [f"propose-1/{n}" for n in range(1, 6)]
    assert len({p.seed for p in writer.prompts}) == 5


def test_what_was_paid_for_is_kept_when_the_account_runs_dry() -> None:
    from mitigation.errors import Stopped

    drafts = drafted(Writer(GOOD[0], GOOD[1], Stopped("no quota"), "never asked"), wanted=5)
    assert [made.faults for made in drafts] == [(), (), ("no quota",)]


def test_a_name_that_yaml_would_read_as_something_else_stays_a_name(identities: Path) -> None:
    before = len(_wiring.identities())
    for number, name in enumerate(("123", "no", "null", "1e3")):
        review.write(identities, name, [made(f"{GOOD[0]} {number}"), made(GOOD[1])], {})
        assert _sweeps.sweep(["study=x", f"identity=proposed/{name}"]).cells[0].identity.name == name
    assert len(_wiring.identities()) == before + 4


def test_drafting_ends_when_the_calls_are_used_up() -> None:
    assert len(drafted(Writer(*["bad"] * 3), calls=3)) == 3


def test_what_a_model_wrote_never_reaches_a_parser(identities: Path) -> None:
    hostile = "You are x.\n_target_: os.system ${oc.env:HOME} !!python/object &a *a {x}"
    review.write(identities, "evil", [made(hostile), made(GOOD[0])], {})
    keys = set(OmegaConf.load(identities / "proposed" / "evil.yaml"))
    assert keys == {"_target_", "name", "bank", "seats", "role", "expected"}
    sweep = _sweeps.sweep(["study=x", "identity=proposed/evil"])
    assert sweep.cells[0].identity.bank == (hostile, GOOD[0])


def test_a_proposal_is_usable_at_once_and_keeps_its_name_when_accepted(
    identities: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review.write(identities, "fresh", [made(GOOD[0]), made("bad", "reason"), made(GOOD[1])], {"model": "m"})
    proposed = _sweeps.sweep(["study=x", "identity=proposed/fresh"]).cells[0].identity
    assert proposed.name == "fresh"
    assert proposed.bank == GOOD
    assert main(["propose", "accept=fresh"]) == 0
    assert "use it as identity=fresh" in capsys.readouterr().out
    assert _sweeps.sweep(["study=x", "identity=fresh"]).cells[0].identity == proposed
    assert not list((identities / "proposed").glob("fresh*"))
    history = json.loads((identities / "fresh.json").read_text())
    assert [d["faults"] for d in history["drafts"]] == [[], ["reason"], []]


def test_rejecting_deletes_and_wrong_names_are_refused(identities: Path, capsys: pytest.CaptureFixture[str]) -> None:
    review.write(identities, "gone", [made(GOOD[0]), made(GOOD[1])], {})
    assert main(["propose", "reject=gone"]) == 0
    assert not list((identities / "proposed").glob("gone*"))
    for arguments, message in [
        (["accept=gone"], "there is no proposal 'gone'; there are: none"),
        (["accept=../control"], "is not a name"),
        (["name=control"], "name='control' is taken"),
        (["name=../up"], "is not a name"),
        (["accept=a", "reject=b"], "cannot be given together"),
        (["wordings=1"], "wordings=1 is out of range"),
        (["similarity=nan"], "similarity=nan is out of range"),
        (["colour=red"], "propose has no colour"),
    ]:
        assert main(["propose", *arguments]) == 2, arguments
        assert message in capsys.readouterr().err


def test_a_proposal_never_replaces_an_identity(identities: Path) -> None:
    with pytest.raises(ConfigError, match="is taken"):
        review.write(identities, "placebo", [made(GOOD[0])], {})
    review.write(identities, "twice", [made(GOOD[0]), made(GOOD[1])], {})
    (identities / "twice.yaml").write_text("x")
    with pytest.raises(ConfigError, match="exists already"):
        review.accept(identities, "twice")


def test_names_are_counted_up(identities: Path) -> None:
    assert review.free_name(identities) == "p001"
    review.write(identities, "p001", [made(GOOD[0]), made(GOOD[1])], {})
    assert review.free_name(identities) == "p002"


@pytest.mark.long
@pytest.mark.embedded
def test_the_embedded_model_proposes_identities_that_a_battle_takes(identities: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["propose", "wordings=2", "calls=60", "name=small"]) == 0
    told = capsys.readouterr().out
    assert "kept 2 of" in told
    arm = _sweeps.sweep(["study=x", "identity=proposed/small"]).cells[0].identity
    assert len(arm.bank) == 2
    assert all(text.startswith("You are ") for text in arm.bank)
