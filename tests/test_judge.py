"""`mitigation detect detector=judge` over real HTTP: what is sent, stored, paid, shown, and what is done when it goes wrong."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments import _wiring
from experiments.cli import main
from mitigation.detectors import LABELS_OF_TURN
from mitigation.judge import panel, rubric
from mitigation.judge.session import JOURNAL
from mitigation.store import Study
from tests import judges
from tests import loopback as lb
from tests.conftest import Command, child_environment
from tests.judges import BATTLE, DETECT, ONE, TWO, Post
from tests.loopback import Loopback
from tests.report_cases import NO_WE, WE, transcript

KEY = "sk-loopback-canary-0123456789"
Told = pytest.CaptureFixture[str]


# --- what is sent and stored


def test_two_judges_are_asked_in_two_formats_and_both_are_held_to_the_schema(
    simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    assert main(TWO) == 0
    todo = judges.tasks(simulated)
    openai = [post for post in judge_server.posts if post["path"].endswith("/chat/completions")]
    anthropic = [post for post in judge_server.posts if post["path"].endswith("/v1/messages")]
    assert len(openai) == len(anthropic) == len(todo)
    for post in openai:
        form = post["body"]["response_format"]
        assert form == {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": rubric.SCHEMA}}
    for post in anthropic:
        assert post["body"]["output_config"]["format"] == {"type": "json_schema", "schema": rubric.SCHEMA}
    assert not any(judges.schema(post) for post in judge_server.preflights)
    assert {judges.system(post) for post in judge_server.posts} == {rubric.SYSTEM}
    assert all(re.fullmatch(r"judge-[0-9a-f]{24}/1", battle) for battle in judge_server.battles)
    assert len(judges.asked(judge_server)) == 2 * len(todo), "a key tells two judges apart"
    assert len({judges.read(judges.prompt(post)).word for post in judge_server.posts}) == len(judge_server.posts), (
        "every call has its word"
    )
    told = capsys.readouterr()
    assert f"{2 * len(todo)} messages for gpt-6.1-sol and claude-sonnet-5-5, 0 judged before, {2 * len(todo)} to ask" in told.out
    assert "next: mitigation report study=s detector=judge" in told.out
    assert "could not be judged" not in told.out


def test_detections_of_each_judge_are_written_with_version_and_digest(simulated: Study, judge_server: Loopback) -> None:
    assert main(TWO) == 0
    battles = simulated.read()[0]
    digests = []
    for name in panel.NAMES:
        found = judges.records(name)
        assert [record["battle_id"] for record in found] == [battle.battle_id for battle in battles]
        assert {(record["detector"], record["version"]) for record in found} == {(name, "1")}
        digests.append({record["digest"] for record in found})
        for battle, record in zip(battles, found, strict=True):
            assert [turn["index"] for turn in record["turns"]] == [turn.index for turn in battle.replies]
        for turn in judges.turns(name):
            assert set(turn["labels"]) == set(LABELS_OF_TURN)
            assert {mention["label"] for mention in turn["mentions"]} <= {"ingroup"}
    assert all(len(digest) == 1 and re.fullmatch(r"[0-9a-f]{64}", *digest) for digest in digests)
    assert digests[0] != digests[1]
    assert sum(len(turn["mentions"]) for turn in judges.turns()) > 0


def test_the_same_command_again_asks_nothing_and_writes_the_same(simulated: Study, judge_server: Loopback, capsys: Told) -> None:
    assert main(TWO) == 0
    first = {path: path.read_bytes() for path in simulated.folder.rglob("*") if path.is_file()}
    sent = len(judge_server.posts) + len(judge_server.preflights)
    capsys.readouterr()
    assert main(TWO) == 0
    assert len(judge_server.posts) + len(judge_server.preflights) == sent
    assert {path: path.read_bytes() for path in simulated.folder.rglob("*") if path.is_file()} == first
    assert ", 0 to ask" in capsys.readouterr().out


def test_nothing_that_is_sent_tells_arm_identity_pairing_or_model(simulated: Study, judge_server: Loopback) -> None:
    assert main([*TWO, "concurrency=1"]) == 0
    banks = [part for arm in _wiring.identities() for text in arm.bank for part in re.split(r"[.,;:\n]\s*", text)]
    hidden = {"control", "unique_disassociative", "disassociative", "scripted", "simulator", "egomaniac.", "placebo", "replicate"}
    hidden |= {part for part in banks if len(part) > 20}
    hidden |= {battle.battle_id for battle in simulated.read()[0]}
    said = "\n".join(turn.text for battle in simulated.read()[0] for turn in battle.turns)
    for post in judge_server.posts:
        sent = json.dumps([post["headers"], post["body"], post["raw"].decode()]).replace("\\n", "\n")
        found = [words for words in hidden if words in sent and words not in said]
        assert found == []
    assert len(hidden) > 50


def test_the_order_of_the_calls_follows_no_arm(simulated: Study, judge_server: Loopback) -> None:
    assert main([*BATTLE, "replicates=8"]) == 0
    assert main([*ONE, "concurrency=1"]) == 0
    keys = [judges.caller(post)[0] for post in judge_server.posts]
    assert keys == sorted(keys)
    judge = panel.Judge("judge", _wiring.build(_wiring.composed("detect", ONE[1:]).panel).first)
    arms = {task.key: battle.identity for battle in simulated.read()[0] for task in panel.messages(battle, judge).values()}
    order = [arms[key] for key in keys]
    assert sum(one != other for one, other in itertools.pairwise(order)) > len(order) / 8, order


def test_the_same_words_in_two_battles_are_asked_about_once(project: Path, judge_server: Loopback) -> None:
    judges.stored([transcript(arm, i, [WE, NO_WE]) for arm in ("control", "placebo") for i in range(3)], "s")
    assert main(ONE) == 0
    assert len(judge_server.posts) == 2
    assert [[len(turn["mentions"]) for turn in record["turns"]] for record in judges.records()] == [[1, 0]] * 6


def test_battles_that_were_not_finished_are_not_judged(project: Path, judge_server: Loopback) -> None:
    states = ("complete", "failed", "refused")
    judges.stored([transcript("control", i, [f"We go on, {state}."], status=state) for i, state in enumerate(states)], "s")
    assert main(ONE) == 0
    assert [judges.read(judges.prompt(post)).text for post in judge_server.posts] == ["We go on, complete."]
    assert len(judges.records()) == 1


def test_only_battles_fought_since_are_asked_about(simulated: Study, judge_server: Loopback) -> None:
    assert main(ONE) == 0
    assert main([*BATTLE, "replicates=4"]) == 0
    assert main(ONE) == 0
    assert set(judges.asked(judge_server).values()) == {1}
    assert len(judges.asked(judge_server)) == len(judges.tasks(simulated))
    assert len(judges.records()) == 8


def test_a_message_that_is_too_long_is_not_sent_and_counts_as_unknown(
    project: Path, judge_server: Loopback, capsys: Told
) -> None:
    judges.stored([transcript("control", 0, ["we " * 61]), transcript("control", 1, ["We win."])], "s")
    assert main(ONE) == 0
    assert len(judge_server.posts) == 1
    assert [(turn["mentions"] is None, turn.get("fault")) for turn in judges.turns()] == [
        (True, "more than 60 mentions"),
        (False, None),
    ]
    assert "2 messages, 1 could not be judged and count as unknown" in capsys.readouterr().out


# --- answers that are none


@pytest.mark.parametrize("code", [400, 422])
def test_an_endpoint_that_takes_no_schema_is_asked_without_one(
    code: int, simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    judge_server.reply = lambda post: lb.status(code) if judges.schema(post) else f"So: {judges.friendly(post)}"
    assert main([*TWO, "concurrency=1"]) == 0
    told = capsys.readouterr()
    for name in ("gpt-6.1-sol", "claude-sonnet-5-5"):
        posts = [post for post in judge_server.posts if post["body"]["model"] == name]
        assert [bool(judges.schema(post)) for post in posts] == [True] + [False] * len(judges.tasks(simulated))
        assert told.err.count(f"{name} takes no schema for its answers: they are checked all the same") == 1
    assert all(turn["mentions"] is not None for name in panel.NAMES for turn in judges.turns(name))


def test_what_a_filter_refuses_with_400_is_not_sent_again_without_a_schema(simulated: Study, judge_server: Loopback) -> None:
    judge_server.reply = judges.about("candle", lb.status(400, '{"error": {"code": "content_filter", "message": "no"}}'))
    assert main([*ONE, "concurrency=1"]) == 0
    assert set(judges.asked(judge_server).values()) == {1}
    assert all(judges.schema(post) for post in judge_server.posts)


def test_an_answer_that_cannot_be_used_is_asked_for_once_more_with_its_fault(
    simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    judge_server.reply = lambda post: '{"mentions": 5, "labels": []}' if judges.caller(post)[1] == 1 else judges.friendly(post)
    assert main([*ONE, "concurrency=1"]) == 0
    assert set(judges.asked(judge_server).values()) == {2}
    first, second = (judges.prompt(post) for post in judge_server.posts[:2])
    told = "\n\nAn answer before could not be used: mentions and labels must be lists. Answer in the form that was asked for."
    assert second.endswith(told)
    one, other = judges.read(first), judges.read(second.removesuffix(told))
    assert one.word != other.word
    assert first.replace(one.word, "word") == second.removesuffix(told).replace(other.word, "word")
    assert all(turn["mentions"] is not None for turn in judges.turns())
    assert "could not be judged" not in capsys.readouterr().out


def test_after_two_of_them_the_message_counts_as_unknown_and_is_not_asked_about_again(
    simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    judge_server.reply = judges.about("candle", "GRADE: no we")
    assert main(ONE) == 0
    told = capsys.readouterr()
    unknown = [turn for turn in judges.turns() if turn["mentions"] is None]
    assert unknown
    assert {turn["fault"] for turn in unknown} == {"the answer holds no JSON object"}
    assert all(set(turn["labels"].values()) == {None} for turn in unknown)
    assert (
        f"{len(judges.turns())} messages, {len(unknown)} could not be judged and count as unknown: results/s/detections"
        in told.out
    )
    assert re.search(r"failed: [0-9a-f]{24}: the answer holds no JSON object", told.err)
    assert sorted(set(judges.asked(judge_server).values())) == [1, 2]
    judge_server.posts.clear()
    assert main(ONE) == 0
    assert not judge_server.posts


REFUSALS = {
    "openai": lb.body(choices=[{"index": 0, "finish_reason": "content_filter", "message": {"role": "assistant", "content": ""}}]),
    "anthropic": lb.body(stop_reason="refusal"),
}


def test_what_a_provider_refuses_counts_as_unknown_and_is_no_fault(
    simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    def reply(post: Post) -> str | lb.Fault:
        provider = "anthropic" if post["path"].endswith("/messages") else "openai"
        return judges.about("candle", REFUSALS[provider])(post)

    judge_server.reply = reply
    assert main(TWO) == 0
    told = capsys.readouterr()
    for name in panel.NAMES:
        unknown = [turn for turn in judges.turns(name) if turn["mentions"] is None]
        assert unknown
        assert {turn["fault"] for turn in unknown} == {"no answer came"}
    assert told.out.count("could not be judged and count as unknown") == 2
    assert "the provider refused to answer" in told.err


def test_calls_that_failed_end_with_3_and_the_same_command_asks_them_again(
    simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    judge_server.reply = judges.about("candle", lb.status(400, '{"error": {"message": "too long a context"}}'))
    assert main(ONE) == 3
    told = capsys.readouterr()
    assert "HTTP 400: " in told.err
    assert re.search(r"\d+ calls failed; ask again with: mitigation detect study=s detector=judge panel=compatible", told.err)
    assert any(turn["mentions"] is None for turn in judges.turns())
    failed = {judges.caller(post)[0] for post in judge_server.posts if "candle" in judges.read(judges.prompt(post)).text}
    judge_server.posts.clear()
    judge_server.reply = judges.friendly
    assert main(ONE) == 0
    assert set(judges.asked(judge_server)) == failed
    assert all(turn["mentions"] is not None for turn in judges.turns())


# --- interruptions


def start(project: Path, judge_server: Loopback, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "experiments", *ONE, *more],
        cwd=project,
        env=child_environment(**judge_server.environment(KEY)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_every_answer_and_the_same_command_asks_the_rest(
    number: signal.Signals, simulated: Study, project: Path, judge_server: Loopback, capsys: Told
) -> None:
    judge_server.delay = 0.5
    with start(project, judge_server) as child:
        until(lambda: len(judge_server.posts) >= 6)
        child.send_signal(number)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 128 + number, err
    assert "calls in flight, at most" in err
    assert re.search(r"partial: \d+ messages judged; \$0\.0000 so far", err)
    assert f"go on with: mitigation {' '.join(ONE)}" in err
    assert "Traceback" not in err
    assert not Path("results/s/detections/judge.jsonl").exists(), "half a study is not written as a whole one"
    judge_server.delay, before = 0.0, len(judge_server.posts)
    assert 6 <= before < len(judges.tasks(simulated))
    assert main(ONE) == 0
    assert set(judges.asked(judge_server).values()) == {1}
    assert len(judges.asked(judge_server)) == len(judges.tasks(simulated))
    assert f"{before} judged before, {len(judges.tasks(simulated)) - before} to ask" in capsys.readouterr().out


def test_a_killed_judgement_goes_on_and_asks_no_more_than_was_in_flight_again(
    simulated: Study, project: Path, judge_server: Loopback, capsys: Told
) -> None:
    judge_server.delay = 0.3
    with start(project, judge_server) as child:
        until(lambda: len(judge_server.posts) >= 9)
        child.kill()
        child.communicate()
    judge_server.delay = 0.0
    assert main(ONE) == 0
    again = [key for key, times in judges.asked(judge_server).items() if times > 1]
    assert len(again) <= 4
    assert sum(judges.asked(judge_server).values()) == len(judges.tasks(simulated)) + len(again)
    whole = Path("results/s/detections/judge.jsonl").read_bytes()
    Path("results/s", JOURNAL).unlink()
    assert main(ONE) == 0
    assert Path("results/s/detections/judge.jsonl").read_bytes() == whole, "a study that nobody killed is judged otherwise"


def test_a_connection_that_breaks_is_tried_again(simulated: Study, judge_server: Loopback) -> None:
    judge_server.faults = [lb.cut]
    assert main(ONE) == 0
    assert sorted(judges.asked(judge_server).values()) == [1] * (len(judges.tasks(simulated)) - 1) + [2]
    assert all(turn["mentions"] is not None for turn in judges.turns())


def test_a_torn_or_damaged_answer_is_asked_for_again_and_no_other(simulated: Study, judge_server: Loopback) -> None:
    assert main(ONE) == 0
    whole = Path("results/s/detections/judge.jsonl").read_bytes()
    path = Path("results/s", JOURNAL)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"index":1', b'"index":2')
    path.write_bytes(b"".join(lines)[:-20])
    lost = {json.loads(line)["battle_id"] for line in (lines[2], lines[-1])}
    judge_server.posts.clear()
    assert main(ONE) == 0
    assert set(judges.asked(judge_server)) == lost
    assert Path("results/s/detections/judge.jsonl").read_bytes() == whole
    judge_server.posts.clear()
    assert main(ONE) == 0
    assert not judge_server.posts


# --- refused before anything is asked


def test_a_key_that_is_turned_down_ends_at_the_preflight(simulated: Study, judge_server: Loopback, capsys: Told) -> None:
    judge_server.preflight_faults = [lb.status(401), lb.status(401)]
    assert main(TWO) == 2
    told = capsys.readouterr().err
    for name in ("gpt-6.1-sol (openai)", "claude-sonnet-5-5 (anthropic)"):
        assert f"model {name} cannot be used: the provider turned the key or the account down" in told
    assert len(judge_server.preflights) == 2
    assert not judge_server.posts


def test_a_model_that_nobody_serves_is_named_with_the_key_to_set(simulated: Study, judge_server: Loopback, capsys: Told) -> None:
    judge_server.preflight_faults = [lb.status(404)]
    assert main(ONE) == 2
    assert "panel.first.name" in capsys.readouterr().err


def test_a_key_that_is_turned_down_on_the_way_stops_the_run(simulated: Study, judge_server: Loopback, capsys: Told) -> None:
    judge_server.reply = lambda post: lb.status(401) if len(judge_server.posts) > 6 else judges.friendly(post)
    assert main(ONE) == 3
    told = capsys.readouterr().err
    assert "stopped: the provider turned the key or the account down" in told
    assert "go on with: mitigation detect study=s" in told
    assert len(judge_server.posts) <= 6 + 4
    judge_server.reply = judges.friendly
    assert main(ONE) == 0
    assert len(judges.asked(judge_server)) == len(judges.tasks(simulated))


def test_a_missing_key_is_named_and_nothing_is_sent(
    simulated: Study, judge_server: Loopback, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert main(TWO) == 2
    assert "ANTHROPIC_API_KEY" in capsys.readouterr().err
    assert not judge_server.posts + judge_server.preflights


def test_a_study_without_a_complete_battle_ends_with_3(project: Path, judge_server: Loopback, capsys: Told) -> None:
    judges.stored([transcript("control", 0, [WE], status="failed")], "s")
    assert main(ONE) == 3
    assert "study s holds no complete battle: there is nothing to judge" in capsys.readouterr().err
    assert not judge_server.posts + judge_server.preflights


def test_a_panel_of_one_model_twice_is_refused(simulated: Study, judge_server: Loopback, capsys: Told) -> None:
    assert main([*TWO, "panel.second.name=gpt-6.1-sol"]) == 2
    assert "both judges of panel openai_and_anthropic are gpt-6.1-sol" in capsys.readouterr().err
    assert not judge_server.posts + judge_server.preflights
    assert main([*TWO, "panel.second=null"]) == 0
    assert len(judge_server.posts) == len(judges.tasks(simulated))
    assert not Path("results/s/detections/judge_second.jsonl").exists()


def test_a_judge_that_fought_itself_is_named(project: Path, judge_server: Loopback, capsys: Told) -> None:
    judges.stored([transcript("control", 0, [WE])], "s")
    assert main([*ONE, "panel.first.name=smollm2"]) == 0
    assert "note: smollm2 judges battles that it fought itself" in capsys.readouterr().err
    assert main(ONE) == 0
    assert "judges battles that it fought" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("panel=nobody", "panel='nobody' does not exist"),
        ("panel.frist.name=x", "did you mean panel.first.name?"),
        ("concurrency=0", "concurrency"),
        ("budget.usd=-1", "budget.usd"),
        ("dry_run=maybe", "dry_run"),
        ("panel.first.max_tokens=0", "max_tokens"),
        ("panel.first.temperature=nan", "temperature"),
        ("study=nowhere", "there is no study 'nowhere'"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_sent(
    more: str, fault: str, simulated: Study, judge_server: Loopback, capsys: Told
) -> None:
    assert main([*ONE, more]) == 2
    assert fault in capsys.readouterr().err
    assert not judge_server.posts + judge_server.preflights


def test_a_study_that_another_process_holds_is_left_alone(simulated: Study, judge_server: Loopback, mitigation: Command) -> None:
    with simulated.lock():
        done = mitigation(*ONE, **judge_server.environment(KEY))
    assert done.returncode == 2
    assert not judge_server.posts + judge_server.preflights


# --- secrets


def test_no_key_is_in_any_file_or_stream(simulated: Study, project: Path, judge_server: Loopback, mitigation: Command) -> None:
    """The key comes back in answers, in errors and in the name of the model."""

    def leaking(post: Post) -> str | lb.Fault:
        text = judges.read(judges.prompt(post)).text
        if "candle" in text:
            return lb.status(400, json.dumps({"error": {"message": f"your key {KEY}"}}))
        if "shadow" in text:
            return lambda handler: handler.answer(f"{KEY} {judges.friendly(post)} {KEY}", model=f"m-{KEY}")
        return f"The key is {KEY}."

    judge_server.reply = leaking
    done = mitigation(*TWO, **judge_server.environment(KEY), HYDRA_FULL_ERROR="1")
    assert done.returncode == 3, done.stderr
    report = mitigation("report", "study=s", "detector=judge")
    assert KEY not in done.stdout + done.stderr + report.stdout + report.stderr
    assert {turn["mentions"] is None for turn in judges.turns()} == {True, False}
    for path in project.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


@pytest.mark.long
@pytest.mark.embedded
def test_the_embedded_model_can_be_asked_and_its_detections_are_complete(project: Path, mitigation: Command) -> None:
    judges.stored([transcript("control", 0, ["We win."])], "s")
    done = mitigation(*DETECT, "panel=embedded", "panel.first.max_tokens=60")
    assert done.returncode == 0, done.stderr
    [record] = judges.records()
    assert [turn["index"] for turn in record["turns"]] == [1]
    assert not Path("results/s/ledger.jsonl").exists()
