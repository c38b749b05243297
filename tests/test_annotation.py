"""Labelling by hand: what is drawn, who may ask, what is stored and what is read back, over real HTTP."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation.annotation.page import BEHAVIOURS, KINDS, page
from mitigation.annotation.sample import sample, stored
from mitigation.annotation.server import LARGEST, AnnotationServer
from mitigation.annotation.session import Review, Session
from mitigation.detectors import LABELS_OF_TURN, LexicalDetector
from mitigation.detectors.mentions import find_tokens
from mitigation.errors import ConfigError, StoreError
from mitigation.labels import Said, annotators, draw, labels_file, messages, read, read_labels
from mitigation.records import unseal
from mitigation.store import Study
from mitigation.types import LABELS, Transcript
from tests.conftest import Command
from tests.report_cases import ARMS, HOSTILE, NO_WE, WE, fight, transcript

ASTRAL = "\U0001f469\u200d\U0001f4bb we\u202e \U00010348 let\u2019s"
STORABLE = [text for text in HOSTILE if not re.search("[\ud800-\udfff]", text)]


class Client:
    """Asks a server as a browser would, or with anything in it changed."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        assert parts.port is not None
        self.port, self.root = parts.port, parts.path

    def ask(self, path: str = "", body: Any = None, *, method: str | None = None, **headers: str) -> tuple[int, bytes, Any]:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        named = {"Content-Type": "application/json"} if data is not None else {}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            address = path if path.startswith("/") else self.root + path
            connection.request(method or ("GET" if data is None else "POST"), address, data, named)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers

    def json(self, path: str) -> Any:
        status, content, _ = self.ask(path)
        assert status == 200, content
        return json.loads(content)

    def queue(self) -> list[dict[str, Any]]:
        return self.json("queue")["messages"]

    def save(self, name: str, said: Any) -> int:
        return self.ask(f"message/{name}", said)[0]


def keep(folder: Path, battles: Sequence[Transcript], name: str = "zebra") -> Study:
    study = Study(folder / "results", name)
    for battle in battles:
        path, line = study.line(battle)
        path.parent.mkdir(parents=True, exist_ok=True)
        study.append(path, line)
    return study


def session(study: Study, annotator: str = "ann", per_arm: int = 10, **changes: Any) -> Session:
    transcripts, _ = study.read()
    return Session(study, annotator, transcripts, sample(study.folder, transcripts, per_arm, 0), **changes)


@contextlib.contextmanager
def served(work: Session) -> Iterator[Client]:
    with AnnotationServer(work, page(work.annotator, work.review.rater if work.review else None)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Client(server.address)
        finally:
            server.shutdown()
            thread.join()


def says(text: str, label: str = "generic", tier: str | None = None, *true: str, extra: Sequence[Any] = ()) -> dict[str, Any]:
    """What the page sends when every mention has one label."""
    mentions = [{"start": a, "end": b, "text": text[a:b], "label": label, "tier": tier} for a, b in find_tokens(text)]
    return {"mentions": [*mentions, *extra], "labels": {name: name in true for name in LABELS_OF_TURN}}


def lines(study: Study, annotator: str = "ann") -> list[dict[str, Any]]:
    path = labels_file(study.folder, annotator)
    return [unseal(line) for line in path.read_bytes().splitlines()] if path.exists() else []


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return keep(tmp_path, [transcript(arm, i, [WE, NO_WE]) for arm in ARMS[:2] for i in range(3)])


@pytest.fixture
def client(study: Study) -> Iterator[Client]:
    with served(session(study)) as found:
        yield found


FOUGHT = fight(replicates=6, messages=1)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 2**63 - 1), st.randoms(use_true_random=False))
def test_what_is_drawn_for_fewer_battles_begins_what_is_drawn_for_more(few: int, more: int, seed: int, chance: Any) -> None:
    few, more = sorted((few, more))
    small, large = draw(FOUGHT, few, seed), draw(FOUGHT, more, seed)
    assert large[: len(small)] == small
    assert draw(small_order := chance.sample(FOUGHT, len(FOUGHT)), more, seed) == large, small_order
    assert draw(FOUGHT, more, seed, kept=small) == large
    arms = {battle.battle_id: battle.identity for battle in FOUGHT}
    assert Counter(arms[battle] for battle in large) == {arm: min(more, 6) for arm in ARMS if more}
    for start in range(0, len(large), len(ARMS)):
        assert {arms[battle] for battle in large[start : start + len(ARMS)]} == set(ARMS)


def test_another_seed_draws_others_and_only_whole_battles_are_drawn() -> None:
    assert draw(FOUGHT, 3, 1) != draw(FOUGHT, 3, 2)
    states = [replace(battle, status=status) for battle, status in zip(FOUGHT, ("failed", "refused", "excluded"), strict=False)]
    empty = replace(FOUGHT[3], turns=FOUGHT[3].turns[:1])
    assert draw([*states, empty], 9, 0) == []


def test_battles_fought_later_push_none_out_that_was_drawn() -> None:
    early = [battle for battle in FOUGHT if battle.replicate < 3]
    drawn = draw(early, 2, 0)
    assert draw(FOUGHT, 2, 0, kept=drawn) == drawn
    grown = draw(FOUGHT, 4, 0, kept=drawn)
    assert grown[: len(drawn)] == drawn
    assert len(grown) == 4 * len(ARMS)


def test_a_second_annotator_gets_the_same_battles(tmp_path: Path) -> None:
    folder, early = tmp_path / "x", [battle for battle in FOUGHT if battle.replicate < 4]
    first = sample(folder, early, 2, 5)
    assert sample(folder, FOUGHT, 2, 5) == first == stored(folder)
    grown = sample(folder, FOUGHT, 3, 5)
    assert grown[: len(first)] == first
    assert sample(folder, FOUGHT, 2, 5) == first
    assert stored(folder) == grown
    without = [battle for battle in FOUGHT if battle.battle_id != first[0]]
    assert sample(folder, without, 2, 5)[: len(first) - 1] == first[1:]
    with pytest.raises(ConfigError, match=r"seed=6: the battles in .* were drawn with seed=5; give that one"):
        sample(folder, FOUGHT, 2, 6)
    (folder / "labels" / "sample.json").write_text("[]")
    with pytest.raises(StoreError, match=r"sample.json is damaged"):
        sample(folder, FOUGHT, 2, 5)


def test_every_label_has_a_key_of_its_own_and_a_meaning() -> None:
    assert {kind.label for kind in KINDS} == {*LABELS, "none"}
    assert tuple(behaviour.label for behaviour in BEHAVIOURS) == LABELS_OF_TURN
    keys = [line.key for line in (*KINDS, *BEHAVIOURS)] + list("ajkmy?")
    assert len(keys) == len(set(keys))
    assert all(line.meaning for line in (*KINDS, *BEHAVIOURS))


def test_only_who_has_the_address_gets_an_answer(client: Client) -> None:
    assert client.ask()[0] == 200
    token = client.root.strip("/")
    wrong = ["/", "/queue", f"/{token[:-1]}/queue", f"/{token}x/", f"/{token[::-1]}-/", "/%C3%BC/", "/favicon.ico"]
    for path in wrong:
        assert client.ask(path)[0] == 403, path
    assert client.ask(f"/{token}/queue")[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", ""])
def test_another_host_is_refused_even_with_the_token(host: str, client: Client) -> None:
    assert client.ask("queue", Host=host.format(port=client.port))[0] == 403
    [first, *_] = client.queue()
    assert client.ask(f"message/{first['id']}", says(WE), Host=host.format(port=client.port))[0] == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://localhost:{port}", "file://"]
)
def test_another_page_is_refused_even_with_the_token(origin: str, client: Client, study: Study) -> None:
    [first, *_] = client.queue()
    assert client.ask(f"message/{first['id']}", says(WE), Origin=origin.format(port=client.port))[0] == 403
    assert client.ask("queue", Origin=origin.format(port=client.port))[0] == 403
    assert lines(study) == []
    assert client.ask("queue", Host=f"localhost:{client.port}", Origin=f"http://localhost:{client.port}")[0] == 200


def test_there_is_no_file_behind_the_routes(client: Client) -> None:
    paths = ["x", "page.html", "message", "message/", "message/../queue", "..%2f..%2fetc%2fpasswd", "queue/", "?x", "message/a/b"]
    for path in [*paths, "../" * 9 + "etc/passwd"]:
        status, content, _ = client.ask(path)
        assert (status, b"root:" in content) == (404, False), path
    assert client.ask("queue", {})[0] == 404
    assert client.ask("message/nothing", {})[0] == 404
    assert client.ask("queue", method="PUT")[0] == 501


def test_the_server_listens_on_loopback_only(study: Study) -> None:
    with AnnotationServer(session(study), page("ann")) as server:
        assert server.server_address[0] == "127.0.0.1"
        with pytest.raises(ConfigError, match=f"port={server.port} cannot be had"):
            AnnotationServer(session(study), page("ann"), port=server.port)


def test_a_body_that_is_too_large_or_of_no_length_is_refused(client: Client, study: Study) -> None:
    [first, *_] = client.queue()
    path = f"message/{first['id']}"
    assert client.ask(path, b" " * (LARGEST + 1))[0] == 413
    assert client.ask(path, b"", Content_Length=str(10**30))[0] == 413
    assert client.ask(path, b"{}", Content_Length="-1")[0] == 411
    assert client.ask(path, b"0\r\n\r\n", Transfer_Encoding="chunked")[0] == 411
    for body in (b"", b"{", b"[" * 10_000, b"\xff", b'{"mentions": NaN}', b"[]", b"null"):
        assert client.ask(path, body)[0] == 400, body
    assert client.ask(path, says(WE), Content_Type="text/plain")[0] == 400
    assert lines(study) == []


def test_the_page_allows_its_own_style_and_script_and_nothing_else(client: Client) -> None:
    _, content, headers = client.ask()
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for name in ("style", "script"):
        [own] = re.findall(rf"<{name}>(.*?)</{name}>", content.decode(), re.DOTALL)
        assert f"{name}-src 'sha256-{base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()}';" in policy
    assert not re.search(r"""\son\w+=|\sstyle=|(src|href)=["'](?!data:,)""", content.decode())
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")


def test_page_and_answers_name_no_arm_no_model_no_study_no_battle_and_no_detector(client: Client, study: Study) -> None:
    told = client.ask()[1] + client.ask("queue")[1]
    for message in client.queue():
        told += client.ask(f"message/{message['id']}")[1]
        assert not set(client.json(f"message/{message['id']}")) & {"other", "index", "battle_id"}
    for secret in (*ARMS, "smollm2", "embedded", "zebra", "egomaniac.", "lexical", *(b.battle_id for b in study.read()[0])):
        assert secret.encode() not in told, secret


def test_messages_come_battle_by_battle_each_behind_the_one_before_it_and_without_the_opener(
    client: Client, study: Study
) -> None:
    shown = [client.json(f"message/{message['id']}") for message in client.queue()]
    battles = {battle.battle_id: battle for battle in study.read()[0]}
    wanted = [pair for name in stored(study.folder) for pair in messages(battles[name])]
    assert [(m["before"]["text"], m["message"]["text"]) for m in shown] == [(a.text, b.text) for a, b in wanted]
    assert [m["opens"] for m in shown] == [turn.index == 1 for _, turn in wanted]
    assert "I win, Robbie. Admit it." not in [m["message"]["text"] for m in shown]


def test_a_saved_message_is_one_sealed_line_and_comes_back_as_a_detection(client: Client, study: Study) -> None:
    first = client.queue()[0]["id"]
    assert client.save(first, says(WE, "opponent_frame")) == 200
    assert client.save(first, says(WE, "ingroup", "social", "end_agreement")) == 200
    [_, record] = lines(study)
    battle = next(b for b in study.read()[0] if b.battle_id == record["battle_id"])
    context, text = battle.turns[0].text, battle.turns[1].text
    assert record["text_sha256"] == hashlib.sha256(f"{context}\x1f{text}".encode()).hexdigest()[:16]
    assert record["mentions"] == [{"label": "ingroup", "tier": "social", "start": 8, "end": 10, "text": "we", "reason": ""}]
    assert record["labels"] == {name: name == "end_agreement" for name in LABELS_OF_TURN}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", record["at"])
    assert set(record) == {"battle_id", "index", "text_sha256", "mentions", "labels", "at"}
    [(index, seen)] = [(seen.index, seen) for seen in read_labels(study.folder, [battle])["ann"][battle.battle_id]]
    assert (index, seen.mentions[0].label, seen.labels["end_agreement"]) == (1, "ingroup", True)
    assert client.queue()[0]["done"] is True
    assert client.json(f"message/{first}")["own"]["labels"]["end_agreement"] is True


def test_what_is_no_pronoun_is_stored_and_is_no_mention(client: Client, study: Study) -> None:
    extra = {"start": 0, "end": 7, "text": "Perhaps", "label": "other", "tier": None}
    assert client.save(client.queue()[0]["id"], says(WE, "none", extra=[extra])) == 200
    assert [mention["label"] for mention in lines(study)[0]["mentions"]] == ["other", "none"]
    [[seen]] = read_labels(study.folder, study.read()[0])["ann"].values()
    assert [mention.text for mention in seen.mentions or ()] == ["Perhaps"]


def changed(**fields: Any) -> dict[str, Any]:
    said = says(WE)
    said["mentions"][0] |= fields
    return said


WRONG = {
    "is no span": [changed(start=-1), changed(end=10**9), changed(start=10, end=10), changed(start="8"), changed(end=10.0)],
    "no span of a message": [changed(start=True, end=2), changed(start=None)],
    "is not the text": [changed(start=9, end=11), changed(text="We"), changed(text=None)],
    "has the label": [changed(label="we"), changed(label=None), changed(label=["ingroup"])],
    "has the tier": [changed(tier="social"), changed(label="ingroup"), changed(label="ingroup", tier="close")],
    "overlap": [says(WE, extra=[{"start": 7, "end": 9, "text": " w", "label": "other", "tier": None}])],
    "has no label": [{**says(WE), "mentions": []}],
    "is no list": [{**says(WE), "mentions": {}}, {"labels": {}}],
    "is no object": [{**says(WE), "mentions": [7]}, 7, []],
    "these and no others": [{**says(WE), "labels": {}}, {**says(WE), "labels": [1]}, {"mentions": says(WE)["mentions"]}],
    "neither true nor false": [{**says(WE), "labels": dict.fromkeys(LABELS_OF_TURN, 1)}],
}  # fmt: skip


@pytest.mark.parametrize(("reason", "said"), [(reason, said) for reason, wrong in WRONG.items() for said in wrong])
def test_labels_that_do_not_fit_are_refused_with_a_reason_and_not_stored(
    reason: str, said: Any, client: Client, study: Study
) -> None:
    status, content, _ = client.ask(f"message/{client.queue()[0]['id']}", said)
    assert status == 400
    assert reason in json.loads(content)["error"]
    assert lines(study) == []
    assert client.queue()[0]["done"] is False


@pytest.mark.parametrize("text", [ASTRAL, *STORABLE])
def test_any_text_is_shown_and_labelled_by_code_points(text: str, tmp_path: Path) -> None:
    study = keep(tmp_path, [transcript("control", 0, [text])])
    with served(session(study)) as client:
        [first] = client.queue()
        shown = client.json(f"message/{first['id']}")
        message = shown["message"]
        assert message["text"] == text
        assert all(not text[at].isprintable() for at, _ in message["codes"])
        seen = [c for at, c in enumerate(text) if at not in {at for at, _ in message["codes"]}]
        assert not {"\x1b", "\u202e", "\u200b", "\x00", "\u2028"} & set(seen)
        assert client.save(first["id"], says(text)) == 200
    [record] = lines(study)
    assert [(m["start"], m["end"]) for m in record["mentions"]] == list(find_tokens(text))
    assert all(text[m["start"] : m["end"]] == m["text"] for m in record["mentions"])
    if text == ASTRAL:
        assert [(m["start"], m["text"]) for m in record["mentions"]] == [(4, "we"), (10, "let\u2019s")]


def test_a_session_goes_on_where_the_last_one_ended(study: Study) -> None:
    with served(session(study)) as client:
        for message in client.queue()[:3]:
            assert client.save(message["id"], says(client.json(f"message/{message['id']}")["message"]["text"])) == 200
    path = labels_file(study.folder, "ann")
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[0][:40])
    again = session(study)
    assert again.progress == (3, 12)
    assert (again.reading.damaged, again.reading.stale) == (1, 0)
    # Names of messages are new in every session, and their order is not.
    with served(session(Study(study.folder.parent, study.name))) as client:
        queue = client.queue()
        assert [message["done"] for message in queue] == [True] * 3 + [False] * 9
        text = client.json(f"message/{queue[3]['id']}")["message"]["text"]
        assert client.save(queue[3]["id"], says(text)) == 200
    assert path.read_bytes().startswith(whole)
    assert session(study).progress == (4, 12)
    assert session(study).reading.damaged == 0


def test_labels_of_other_words_are_not_used_and_counted(study: Study) -> None:
    work = session(study)
    for message in work.queue()["messages"]:
        work.save(message["id"], says(work.message(message["id"])["message"]["text"]))
    [first, *rest], _ = study.read()
    refought = replace(first, turns=(*first.turns[:2], replace(first.turns[2], text="We start anew.")))
    reading = read(labels_file(study.folder, "ann"), [refought, *rest[:-1]])
    assert (reading.stale, reading.damaged) == (3, 0)
    assert (first.battle_id, 1) in reading.messages
    assert (first.battle_id, 2) not in reading.messages
    keep(study.folder.parent.parent, [refought])
    assert session(study).progress == (11, 12)
    # Of a label that did not exist then nobody says that it is absent.
    record = next(line for line in lines(study) if line["battle_id"] != first.battle_id)
    del record["labels"]["concede"]
    labels_file(study.folder, "bob").write_text("\n".join([json.dumps(record), "{}", "7", '{"battle_id": [], "index": 1}']))
    reading = read(labels_file(study.folder, "bob"), study.read()[0])
    assert ([said.labels["concede"] for said in reading.messages.values()], reading.damaged) == ([None], 3)


def test_two_annotators_label_side_by_side(study: Study) -> None:
    first, second = session(study), session(study, "bob")
    for work, label in ((first, "generic"), (second, "exclusive")):
        [message, *_] = work.queue()["messages"]
        work.save(message["id"], says(work.message(message["id"])["message"]["text"], label))
    found = read_labels(study.folder, study.read()[0])
    assert annotators(study.folder) == ["ann", "bob"] == list(found)
    [[one]], [[other]] = found["ann"].values(), found["bob"].values()
    assert ([m.label for m in one.mentions or ()], [m.label for m in other.mentions or ()]) == (["generic"], ["exclusive"])
    assert second.message(second.queue()["messages"][1]["id"])["own"] is None


def test_many_saves_at_once_leave_whole_lines(client: Client, study: Study) -> None:
    def save(message: dict[str, Any]) -> None:
        assert client.save(message["id"], says(client.json(f"message/{message['id']}")["message"]["text"])) == 200

    threads = [threading.Thread(target=save, args=(message,)) for message in client.queue() * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(study)) == 24
    assert session(study).progress == (12, 12)


def test_a_disk_that_is_full_is_told_and_nothing_is_counted(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with served(session(study)) as client:
        first = client.queue()[0]["id"]
        monkeypatch.setattr("mitigation.store.append", full)
        status, content, _ = client.ask(f"message/{first}", says(WE))
        assert (status, json.loads(content)) == (507, {"error": "the disk did not take it (No space left on device)"})
        assert client.queue()[0]["done"] is False
        monkeypatch.undo()
        assert client.save(first, says(WE)) == 200


def test_a_review_shows_only_what_two_labelled_differently_and_says_so_in_the_line(study: Study) -> None:
    ann, bob = session(study), session(study, "bob")
    for place, (one, other) in enumerate(zip(ann.queue()["messages"], bob.queue()["messages"], strict=True)):
        text = ann.message(one["id"])["message"]["text"]
        ann.save(one["id"], says(text))
        if place < 6:
            bob.save(other["id"], says(text, "generic", None, *(("concede",) if place == 1 else ())))
        elif place < 10:
            bob.save(other["id"], says(text, "ingroup", "dyadic"))
    transcripts, _ = study.read()
    said = read(labels_file(study.folder, "bob"), transcripts).messages
    review = session(study, review=Review(rater="bob", said=said))
    differing = [review.message(m["id"]) for m in review.queue()["messages"]]
    assert review.progress == (0, 3)
    assert [m["message"]["text"] for m in differing] == [NO_WE, WE, WE]
    assert [m["other"]["labels"]["concede"] for m in differing] == [True, False, False]
    with served(review) as client:
        kept, taken, _ = client.queue()
        assert client.json(f"message/{kept['id']}")["opens"] is True
        assert client.save(kept["id"], says(NO_WE)) == 200
        assert client.save(taken["id"], says(WE, "ingroup", "dyadic")) == 200
    assert [(line["relabelled"], line["against"]) for line in lines(study)[-2:]] == [(True, "bob")] * 2
    assert not any("relabelled" in line for line in [*lines(study)[:-2], *lines(study, "bob")])
    again = session(study, review=Review(rater="bob", said=said))
    # What was kept is still different and is done; what was taken over is no longer there.
    assert again.progress == (1, 2)
    assert session(study).progress == (12, 12)
    aided, blind = (read_labels(study.folder, transcripts, blind=only)["ann"] for only in (False, True))
    assert aided != blind
    assert sum(len(seen) for seen in blind.values()) == 12
    # Opened without a review, the page shows what was said blind, and takes no other blind label of what a review settled.
    plain = session(study)
    texts = {message["id"]: plain.message(message["id"])["message"]["text"] for message in plain.queue()["messages"]}
    refused = []
    for name, text in texts.items():
        try:
            plain.save(name, says(text))
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) == 2
    assert "settled in a review" in refused[0]
    assert read_labels(study.folder, transcripts, blind=True)["ann"] == blind


def test_a_review_against_the_detector_passes_over_what_nobody_judged(study: Study) -> None:
    work, detector = session(study), LexicalDetector()
    for message in work.queue()["messages"]:
        work.save(message["id"], says(work.message(message["id"])["message"]["text"], "none"))
    said = {
        (battle.battle_id, turn.index): Said.of(detector.detect(turn.text, before.text, turn.index))
        for battle in study.read()[0][:3]
        for before, turn in messages(battle)
    }
    review = session(study, review=Review(rater="lexical", said=said))
    shown = [review.message(message["id"]) for message in review.queue()["messages"]]
    assert WE in [message["message"]["text"] for message in shown]
    assert all(message["own"] != message["other"] for message in shown)
    assert len(shown) <= 6


def test_ctrl_c_ends_it_and_says_how_to_go_on(project: Path, annotate: Command, mitigation: Command) -> None:
    keep(project, [transcript("control", 0, [WE, NO_WE])])
    arguments = ("study=zebra", "annotator=ann", "battles=3")

    def label(address: str) -> None:
        client = Client(address)
        first, second = client.queue()
        assert client.save(second["id"], says(NO_WE)) == 200
        assert client.save(first["id"], says(WE)) == 200
        assert "the file of ann in study zebra is being written by process" in mitigation("annotate", *arguments).stderr

    done = annotate(*arguments, visit=label)
    assert done.returncode == 0, done.stderr
    assert "1 battles, 2 messages, 0 labelled by ann" in done.stdout
    assert "2 of 2 messages are labelled: results/zebra/labels/ann.jsonl" in done.stdout
    assert "continue with: mitigation annotate study=zebra annotator=ann battles=3" in done.stdout
    assert done.stderr == ""
    again = annotate(*arguments, visit=lambda address: None)
    assert "2 messages, 2 labelled by ann" in again.stdout
    review = annotate(*arguments, "review=lexical", visit=lambda address: Client(address).ask())
    assert review.returncode == 0, review.stderr
    assert "ann and lexical differ in " in review.stdout
    assert "messages are reviewed" in review.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study=zebra"], "annotator is required"),
        (["annotator=ann"], "study is required"),
        (["study=lion", "annotator=ann"], "there is no study 'lion'"),
        (["study=zebra", "annotator=../ann"], "is not a name"),
        (["study=zebra", "annotator=lexical"], "is the name of a detector"),
        (["study=zebra", "annotator=ann", "battles=0"], "battles=0 is out of range"),
        (["study=zebra", "annotator=ann", "seed=-1"], "seed=-1 is out of range"),
        (["study=zebra", "annotator=ann", "port=65536"], "port=65536 is out of range"),
        (["study=zebra", "annotator=ann", "review=bob"], "review='bob' has no labels of study zebra; there are: lexical"),
        (["study=zebra", "annotator=ann", "review=ann"], "review='ann' has no labels"),
        (["study=zebra", "annotator=ann", "host=0.0.0.0"], "annotate has no host"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_drawn(
    arguments: list[str], message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from experiments.cli import main

    keep(project, [transcript("control", 0, [WE])])
    assert main(["annotate", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (project / "results" / "zebra" / "labels").exists()


def test_without_a_whole_battle_there_is_nothing_to_label(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from experiments.cli import main

    keep(project, [transcript("control", 0, [WE], status="failed")])
    assert main(["annotate", "study=zebra", "annotator=ann"]) == 3
    assert "there is no complete battle to label" in capsys.readouterr().err
    assert main(["annotate", "study=zebra", "annotator=ann", "review=lexical"]) == 0
    assert "ann and lexical differ in 0 of the messages that both labelled" in capsys.readouterr().out
