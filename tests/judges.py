"""Judges that stand in for a model: they read a request as it arrives over HTTP and answer by a rule that is known."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mitigation.judge.panel import Judge, Task
from mitigation.judge.panel import tasks as every
from mitigation.records import unseal
from mitigation.store import Study
from mitigation.types import Model, Transcript
from tests.loopback import Fault, Loopback

Post = dict[str, Any]
BATTLE = ["battle", "-m", "study=s", "identity=control,unique_disassociative", "pairing=scripted", "messages=4"]
DETECT = ["detect", "study=s", "detector=judge"]
ONE = [*DETECT, "panel=compatible", "concurrency=4"]
TWO = [*DETECT, "panel=openai_and_anthropic", "concurrency=4"]
PRICE = "panel.first.price={input: 1000, output: 5000}"
# What a judge says of a mention: the fields of the answer but number and quote.
Ruling = dict[str, Any]
BOTH: Ruling = {"used": True, "includes": "addressee", "adversarial": False, "group": ""}
NEITHER: Ruling = BOTH | {"includes": "neither"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read by a judge that takes its first line at its word.

    Attributes:
        word: the word of the call.
        fenced: everything between the first fence and the last, which is all that others wrote.
        context: the message before.
        pieces: the message, cut at the marks with the word; piece k begins with mention k, piece 0 stands before the first.
        numbers: the numbers of the marks.
    """

    word: str
    fenced: str
    context: str
    pieces: list[str]
    numbers: list[int]

    @property
    def text(self) -> str:
        """The message without marks."""
        return "".join(self.pieces)


def prompt(post: Post) -> str:
    """Return what a POST of either wire format asks."""
    return post["body"]["messages"][-1]["content"]


def system(post: Post) -> str:
    """Return the system prompt of a POST of either wire format."""
    return post["body"].get("system") or post["body"]["messages"][0]["content"]


def schema(post: Post) -> Any:
    """Return the schema that a POST of either wire format sends, None without one."""
    form = post["body"].get("output_config", {}).get("format") or post["body"].get("response_format", {}).get("json_schema")
    return form and form["schema"]


def caller(post: Post) -> tuple[str, int]:
    """Return key and number of the try, out of the header."""
    name, _, number = post["headers"]["x-battle"].rpartition("/")
    return name.removeprefix("judge-"), int(number)


def read(asked: str) -> Asked:
    """Read a request by the word in its first line and by nothing else."""
    first = re.match(r"The word of this call is ([0-9a-f]+); only lines and marks with it are ours\.\n", asked)
    assert first, asked[:80]
    word = first[1]
    blocks = re.findall(rf"^<<<{word}\n(.*?)\n{word}>>>$", asked, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2, asked
    parts = re.split(rf"\[{word}:(\d+)\]", blocks[1])
    fenced = asked[asked.index(f"<<<{word}\n") : asked.rindex(f"{word}>>>")].replace(word, "word")
    return Asked(word, fenced, blocks[0], parts[::2], [int(number) for number in parts[1::2]])


def answer(asked: Asked, rule: Callable[[str], Ruling], labels: dict[str, str] | None = None) -> str:
    """Return the answer of a judge that follows the rubric.

    Args:
        asked: the request.
        rule: what it says of a mention, given the message from that mention on.
        labels: by label the words that show it, which holds where the message has these words.
    """
    mentions = []
    for place, number in enumerate(asked.numbers, 1):
        before, rest = "".join(asked.pieces[:place]), "".join(asked.pieces[place:])
        # Copied as models copy: some words around, and every third time with our own mark left in.
        quote = before[-8:] + (f"[{asked.word}:{number}]" if place % 3 == 0 else "") + rest[:12]
        mentions.append({"number": number, **rule(rest), "quote": quote})
    shown = [{"label": label, "quote": words} for label, words in (labels or {}).items() if words in asked.text]
    return json.dumps({"mentions": mentions, "labels": shown})


def friendly(post: Post) -> str:
    """The answer of a judge that takes every we for both."""
    return answer(read(prompt(post)), lambda _: BOTH)


def about(words: str, then: str | Fault) -> Callable[[Post], str | Fault]:
    """Return a model that answers in a way of its own about messages with some words in them."""
    return lambda post: then if words in read(prompt(post)).text else friendly(post)


def tasks(study: Study) -> list[Task]:
    """Return every different message of a study."""
    return list(every(study.read()[0], Judge("judge", Model(name="m", provider="openai"))))


def asked(server: Loopback) -> Counter[str]:
    """Return how often each message was asked about, by its key."""
    return Counter(caller(post)[0] for post in server.posts)


def records(name: str = "judge", study: str = "s") -> list[dict[str, Any]]:
    """Return the detections of a judge, a record a battle, without the checksum."""
    lines = Path("results", study, "detections", f"{name}.jsonl").read_bytes().splitlines()
    return [{field: value for field, value in unseal(line).items() if field != "crc32"} for line in lines]


def turns(name: str = "judge", study: str = "s") -> list[dict[str, Any]]:
    """Return what a judge found in every message."""
    return [turn for record in records(name, study) for turn in record["turns"]]


def stored(battles: Sequence[Transcript], name: str) -> Study:
    """Store battles as a study in the working directory and return it."""
    study, lines = Study(Path("results"), name), dict[Path, bytes]()
    for battle in battles:
        path, line = study.line(battle)
        lines[path] = lines.get(path, b"") + line
    for path, data in lines.items():
        study.append(path, data)
    return study
