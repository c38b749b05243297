"""The page for labelling in a real Chromium: messages are labelled by keyboard alone, and hostile text stays text."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mitigation.annotation.session import Review
from mitigation.labels import labels_file, read
from tests.chromium import CONTRAST, Browser, started
from tests.report_cases import NO_WE, WE, transcript
from tests.test_annotation import ASTRAL, STORABLE, Client, keep, lines, says, served, session

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        shutil.which("chromium") is None or shutil.which("chromedriver") is None,
        reason="needs Chromium and its driver: apt-get install chromium chromium-driver",
    ),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("profile")) as found:
        yield found


def address(client: Client) -> str:
    return f"http://127.0.0.1:{client.port}{client.root}"


def shows(browser: Browser, text: str) -> None:
    browser.until(f"return document.getElementById('who').isConnected && {text!r} === {TEXT}")


def chips(browser: Browser) -> list[list[str]]:
    """The words of each mention and the name of its label."""
    found: list[list[str]] = browser.run(
        "return [...document.querySelectorAll('.chip')].map(chip => { const name = chip.querySelector('.tag').textContent;"
        " return [chip.textContent.slice(0, -name.length), name]; })"
    )
    return found


def elsewhere(browser: Browser, client: Client) -> list[str]:
    """What the page asked for that is not its own; the browser's own pages and what an address holds itself are nobody's."""
    passed = ("about:", "chrome", "data:", address(client))
    return [url for url in browser.requests() if not url.startswith(passed)]


def said(browser: Browser) -> str:
    return str(browser.run("return document.getElementById('said').textContent"))


# The text of the message as it is shown, without the labels in it.
TEXT = (
    "(() => { const t = document.getElementById('text').cloneNode(true);"
    " t.querySelectorAll('.tag').forEach(e => e.remove()); return t.textContent; })()"
)
PRESSED = "return [...document.querySelectorAll('.label[aria-pressed=true]')].map(b => b.dataset.label)"
COUNT = "return document.getElementById('count').textContent"


def test_messages_are_labelled_by_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    texts = [f"{ASTRAL} both win.", "I win. Our draw, our rules, my good old peer."]
    study = keep(tmp_path, [transcript("control", 0, texts)])
    browser.requests(), browser.complaints()
    with served(session(study)) as client:
        browser.open(address(client))
        browser.until("return document.querySelectorAll('.chip').length === 2")
        assert browser.run(COUNT) == "0 of 2"
        assert chips(browser) == [["we", "no label yet"], ["let\u2019s", "no label yet"]]
        browser.press("Enter")
        assert said(browser) == "Not saved: a mention has no label yet."
        assert lines(study) == []
        browser.press("s", "i", "7", "8", "8", "t")
        assert chips(browser) == [["we", "in-group, social"], ["let\u2019s", "in-group, dyadic"]]
        assert browser.run(PRESSED) == ["cooperation", "shared_goals"]
        browser.press("Enter")
        shows(browser, texts[1])
        assert browser.run(COUNT) == "1 of 2"
        # Back to the first, whose labels are still there, and on again without a second line.
        browser.press("Backspace")
        browser.until("return document.getElementById('who').textContent === 'Robbie'")
        assert browser.run(PRESSED) == ["cooperation", "shared_goals"]
        browser.press("Enter")
        shows(browser, texts[1])
        assert len(lines(study)) == 1
        # A mention that was missed: its words are typed.
        browser.press("a", *"my good", "Enter", "g")
        browser.press("a", *"Our", "Enter")
        assert said(browser) == "These words do not stand there unmarked."
        # The first is marked; j goes on to the second, and once that has its label the first is next.
        browser.press("Escape", "j", "o", "x", "9", "Enter")
        browser.until("return !document.getElementById('end').hidden")
        assert browser.run(COUNT) == "2 of 2"
        browser.press("Left")
        shows(browser, texts[1])
        assert browser.complaints() == []
        assert elsewhere(browser, client) == []
    one, other = lines(study)
    assert [(m["start"], m["end"], m["text"], m["label"], m["tier"]) for m in one["mentions"]] == [
        (4, 6, "we", "ingroup", "social"),
        (10, 15, "let\u2019s", "ingroup", "dyadic"),
    ]
    assert [name for name, true in one["labels"].items() if true] == ["cooperation", "shared_goals"]
    assert [(m["text"], m["label"]) for m in other["mentions"]] == [
        ("Our", "other"), ("our", "opponent_frame"), ("my good", "generic"),
    ]  # fmt: skip
    assert [name for name, true in other["labels"].items() if true] == ["win_claim"]
    assert read(labels_file(study.folder, "ann"), study.read()[0]).damaged == 0


def test_a_selection_becomes_a_mention_and_can_be_taken_away(browser: Browser, tmp_path: Path) -> None:
    text = "\U0001f600 The \u202etwo\u202c of them, \U0001f600 say I."
    study = keep(tmp_path, [transcript("control", 0, [text])])
    with served(session(study)) as client:
        browser.open(address(client))
        browser.until("return !document.getElementById('work').hidden")
        # From the middle of the first run to the middle of the last: over both hidden characters.
        browser.run(
            "const runs = [...document.querySelectorAll('#text [data-at]')]; const last = runs.at(-1).firstChild;"
            "getSelection().setBaseAndExtent(runs[0].firstChild, 2, last, last.data.indexOf('them') + 4)"
        )
        browser.press("a")
        assert chips(browser) == [["The \\u202etwo\\u202c of them", "no label yet"]]
        browser.press("n")
        assert chips(browser) == []
        browser.run(
            "const last = [...document.querySelectorAll('#text [data-at]')].at(-1).firstChild;"
            "const at = last.data.indexOf('say'); getSelection().setBaseAndExtent(last, at - 1, last, at + 5)"
        )
        browser.press("a", "q", "Enter")
        browser.until("return !document.getElementById('end').hidden")
    [mention] = lines(study)[0]["mentions"]
    assert (mention["text"], mention["start"], mention["label"]) == ("say I", text.index("say I"), "quoted")


def test_hostile_text_and_names_stay_text(browser: Browser, tmp_path: Path) -> None:
    battles = [transcript("control", i, [text, f"{WE} {text}"]) for i, text in enumerate(STORABLE)]
    study = keep(tmp_path, battles)
    browser.requests(), browser.complaints()
    with served(session(study, per_arm=99)) as client:
        browser.open(address(client))
        for _ in battles:
            for _ in range(2):
                browser.until("return !document.getElementById('work').hidden")
                place = browser.run(COUNT)
                assert browser.run("return document.querySelectorAll('main img, svg, iframe, main script, main a').length") == 0
                assert not {"\x1b", "\u202e", "\u200b", "\x00"} & set(browser.run(f"return {TEXT}"))
                browser.press(*["x"] * len(chips(browser)), "Enter")
                browser.until(f"return document.getElementById('count').textContent !== {place!r}")
        assert browser.dialog() is None
        assert browser.run("return window.owned === undefined") is True
        assert browser.complaints() == []
        assert elsewhere(browser, client) == []
    assert len(lines(study)) == 2 * len(battles)


def test_a_review_shows_both_readings_and_takes_either(browser: Browser, tmp_path: Path) -> None:
    study = keep(tmp_path, [transcript("control", 0, [WE, NO_WE])])
    for name, label in (("ann", "generic"), ("bob", "exclusive")):
        work = session(study, name)
        for message in work.queue()["messages"]:
            text = work.message(message["id"])["message"]["text"]
            work.save(message["id"], says(text, label, None, *(("concede",) if name == "bob" else ())))
    labels = read(labels_file(study.folder, "bob"), study.read()[0]).messages
    with served(session(study, review=Review(rater="bob", said=labels))) as client:
        browser.open(address(client))
        browser.until("return document.querySelectorAll('#other li').length === 2")
        shown = "return [...document.querySelectorAll('#{} li.differs')].map(li => li.textContent)"
        assert browser.run(shown.format("own")) == ["…Perhaps we could both …: generic", "not concede"]
        assert browser.run(shown.format("other")) == ["…Perhaps we could both …: own side", "concede"]
        browser.press("y")
        assert browser.run(PRESSED) == ["concede"]
        assert chips(browser) == [["we", "own side"]]
        browser.press("Enter")
        shows(browser, NO_WE)
        browser.press("y", "m", "Enter")
        browser.until("return !document.getElementById('end').hidden")
    first, second = lines(study)[-2:]
    assert (first["mentions"][0]["label"], first["labels"]["concede"], first["relabelled"]) == ("exclusive", True, True)
    assert (second["labels"]["concede"], second["against"]) == (False, "bob")


def test_what_is_not_stored_is_said_and_kept(browser: Browser, tmp_path: Path) -> None:
    study = keep(tmp_path, [transcript("control", 0, [WE, NO_WE])])
    with served(session(study)) as client:
        browser.open(address(client))
        browser.until("return document.querySelectorAll('.chip').length === 1")
    browser.press("g", "Enter")
    browser.until("return document.getElementById('said').textContent.includes('start it again')")
    assert chips(browser) == [["we", "generic"]]
    assert lines(study) == []


def test_the_guide_opens_and_closes_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    study = keep(tmp_path, [transcript("control", 0, [WE])])
    with served(session(study)) as client:
        browser.open(address(client))
        browser.until("return document.querySelectorAll('.chip').length === 1")
        opened = "return document.getElementById('guide').open"
        browser.press("?")
        assert browser.run(opened) is True
        browser.press("g")
        assert chips(browser) == [["we", "no label yet"]]
        browser.press("?")
        assert browser.run(opened) is False
        browser.press("?", "Escape")
        assert browser.run(opened) is False
        browser.complaints()
        browser.press("?", "Tab", "Enter")
        assert browser.run(opened) is False
        assert browser.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_readable_and_fits_a_narrow_window(browser: Browser, scheme: str, tmp_path: Path) -> None:
    study = keep(tmp_path, [transcript("control", 0, [f"{WE} \x1b[2J w\u0435 {'long' * 60}", WE])])
    for name in ("ann", "bob"):
        work = session(study, name)
        for message in work.queue()["messages"]:
            text = work.message(message["id"])["message"]["text"]
            work.save(message["id"], says(text, "generic", None, *(("concede", "support") if name == "bob" else ())))
    labels = read(labels_file(study.folder, "bob"), study.read()[0]).messages
    pictures = Path(os.environ.get("REPORT_PICTURES", tmp_path))
    browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    with served(session(study, review=Review(rater="bob", said=labels))) as client:
        for width in (400, 1200):
            browser.size(width)
            browser.open(address(client))
            browser.until("return document.querySelectorAll('#own li').length > 0")
            browser.press("1", "2")
            assert browser.run("return document.documentElement.scrollWidth") <= width
            assert browser.run(CONTRAST) == []
            browser.picture(pictures / f"annotate-{scheme}-{width}.png")
            browser.press("?")
            assert browser.run(CONTRAST) == []
            browser.picture(pictures / f"annotate-guide-{scheme}-{width}.png")
        controls = "[...document.querySelectorAll('button, input')]"
        assert browser.run(f"return {controls}.filter(e => !e.textContent.trim() && !e.labels?.length).length") == 0
    browser.devtools("Emulation.setEmulatedMedia", features=[])


def test_the_focus_follows_the_mention_to_label(browser: Browser, tmp_path: Path) -> None:
    study = keep(tmp_path, [transcript("control", 0, ["We say: we, us and our own."])])
    with served(session(study)) as client:
        browser.open(address(client))
        browser.until("return document.querySelectorAll('.chip').length === 4")
        focus = "return [...document.querySelectorAll('.chip')].indexOf(document.activeElement)"
        seen = [browser.run(focus)]
        for key in ("g", "k", "j", "Tab", "g", "g", "g"):
            browser.press(key)
            seen.append(browser.run(focus))
        assert seen == [0, 1, 0, 1, 2, 3, 1, 1]
