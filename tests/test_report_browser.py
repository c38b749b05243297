"""The page in a real Chromium: nothing is fetched, no text of a model runs, and the viewer filters, pairs and follows links."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mitigation.reporting import write_comparison, write_report
from tests.chromium import CONTRAST, Browser, started
from tests.report_cases import HOSTILE, WE, fight, study, transcript
from tests.test_report_hostile import compared

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


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    long = transcript("control", 10, ["I say we. " + "word " * 900])
    return write_report(study([*fight(), long]), tmp_path_factory.mktemp("plain") / "demo").as_uri()


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    battles = [transcript("control", i, [text, f"{WE} {text}"], error=text) for i, text in enumerate(HOSTILE)]
    given = study(battles, identities={"control": tuple(HOSTILE)}, provenance={"model": HOSTILE[0]}, detector=HOSTILE[1])
    return write_report(given, tmp_path_factory.mktemp("hostile") / "demo").as_uri()


@pytest.fixture(scope="module")
def compared_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_comparison(compared("plain words"), tmp_path_factory.mktemp("both") / "demo").as_uri()


def choose(browser: Browser, name: str, value: str) -> None:
    browser.run(
        f"const f = document.querySelector('#transcripts form'); const e = f.elements[{name!r}];"
        f"if (e.type === 'checkbox') e.checked = {value!r} === 'on'; else e.value = {value!r};"
        "e.dispatchEvent(new Event('input', {bubbles: true}))"
    )


def shown(browser: Browser) -> list[str]:
    found: list[str] = browser.run(
        "return [...document.querySelectorAll('.battle')].filter(b => !b.hidden).map(b => b.dataset.arm)"
    )
    return found


def test_page_asks_for_nothing_but_itself_and_complains_of_nothing(browser: Browser, page: str) -> None:
    browser.requests(), browser.complaints()
    browser.open(page)
    assert {address for address in browser.requests() if address != "about:blank"} == {page}
    assert browser.complaints() == []


def test_style_and_script_pass_the_policy(browser: Browser, page: str) -> None:
    browser.open(page)
    assert browser.run("return getComputedStyle(document.querySelector('.card')).borderTopStyle") == "solid"
    assert browser.run("return document.querySelector('#transcripts form').hidden") is False


def test_hostile_text_stays_text(browser: Browser, hostile_page: str) -> None:
    browser.requests(), browser.complaints()
    browser.open(hostile_page)
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert browser.dialog() is None
    assert {address for address in browser.requests() if address != "about:blank"} == {hostile_page}
    assert browser.complaints() == []
    assert (
        browser.run("return document.querySelectorAll('img, iframe, object, embed, script:not(:last-of-type), base').length") == 0
    )
    assert browser.run("return document.title").startswith("demo:")
    assert browser.run("return window.owned === undefined") is True
    assert "<script>" in browser.run("return document.querySelector('.battle .text').textContent + document.body.textContent")


def test_filters_by_arm_by_mention_and_by_words(browser: Browser, page: str) -> None:
    browser.open(page)
    everything = shown(browser)
    choose(browser, "arm", "placebo")
    assert set(shown(browser)) == {"placebo"}
    choose(browser, "arm", "")
    choose(browser, "we", "1")
    with_we = shown(browser)
    choose(browser, "we", "0")
    assert len(with_we) + len(shown(browser)) == len(everything)
    choose(browser, "we", "")
    choose(browser, "words", "WORD WORD")
    assert shown(browser) == ["control"]
    assert browser.run("return document.querySelector('#transcripts output').textContent") == "1 of 41 battles"


def test_filters_by_scenario_label_and_ending_together(browser: Browser, tmp_path: Path) -> None:
    battles = [
        *fight(("control", "placebo"), 3),
        transcript("control", 7, [WE], scenario="chess", ending="conceded", battle_id="chess.x.control.7"),
        transcript("placebo", 7, ["No."], scenario="chess", ending="message_limit", battle_id="chess.x.placebo.7"),
    ]
    browser.open(write_report(study(battles, ()), tmp_path / "demo").as_uri())
    choose(browser, "scenario", "chess")
    assert shown(browser) == ["control", "placebo"]
    choose(browser, "ending", "conceded")
    assert shown(browser) == ["control"]
    choose(browser, "ending", "")
    choose(browser, "label", "“we”: in-group")
    assert shown(browser) == ["control"]
    choose(browser, "label", "win claim")
    choose(browser, "scenario", "")
    assert len(shown(browser)) == 6
    browser.run("document.querySelector('#transcripts form').reset()")
    choose(browser, "words", "")
    assert len(shown(browser)) == 8


def test_puts_a_treatment_beside_the_control_of_its_block(browser: Browser, page: str) -> None:
    browser.open(page)
    browser.size(1400)
    choose(browser, "arm", "unique_disassociative")
    choose(browser, "beside", "on")
    assert shown(browser) == ["control", "unique_disassociative"] * 10
    pair = "[...document.querySelectorAll('.block:not([hidden]) .battle:not([hidden])')].slice(0, 2)"
    first, second = browser.run(f"return {pair}.map(battle => battle.getBoundingClientRect().top)")
    assert first == second


def test_keys_go_from_battle_to_battle(browser: Browser, page: str) -> None:
    browser.open(page)
    press = (
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{key: '{}', bubbles: true}}));"
        "return document.activeElement.closest('.battle').id"
    )
    ids = browser.run("return [...document.querySelectorAll('.battle')].map(b => b.id)")
    assert [browser.run(press.format(key)) for key in "jjk"] == [ids[0], ids[1], ids[0]]


def test_link_to_a_message_opens_its_battle(browser: Browser, page: str) -> None:
    target = "battle-placebo.egomaniac.embedded.0003-2"
    browser.open(f"{page}#{target}")
    assert browser.run(f"return document.getElementById('{target}').closest('.battle').open") is True
    assert (
        browser.run(
            f"const r = document.getElementById('{target}').getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight"
        )
        is True
    )


def test_long_message_is_folded_until_asked(browser: Browser, page: str) -> None:
    browser.open(page)
    heights = browser.run(
        "const t = document.querySelector('.text.long'); t.closest('.battle').open = true; const b = t.nextElementSibling;"
        "const before = t.offsetHeight; b.click(); return [before, t.offsetHeight, b.getAttribute('aria-expanded')]"
    )
    assert heights[0] < heights[1]
    assert heights[2] == "true"


def test_a_common_report_asks_for_nothing_and_complains_of_nothing(browser: Browser, compared_page: str) -> None:
    browser.requests(), browser.complaints()
    browser.open(compared_page)
    assert {address for address in browser.requests() if address != "about:blank"} == {compared_page}
    assert browser.complaints() == []
    assert browser.run("return document.querySelectorAll('button[data-copy]:not([hidden])').length") == 3


@pytest.mark.parametrize("width", [400, 1400])
def test_no_width_makes_the_page_scroll_sideways(
    browser: Browser, page: str, hostile_page: str, compared_page: str, width: int, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("REPORT_PICTURES", tmp_path))
    for name, address in (("plain", page), ("hostile", hostile_page), ("compared", compared_page)):
        browser.open(address)
        browser.size(width)
        browser.run("document.querySelectorAll('.battle').forEach((d, i) => { d.open = i < 3 })")
        assert browser.run("return document.documentElement.scrollWidth") <= width
        browser.picture(pictures / f"{name}-{width}.png")


def test_text_has_enough_contrast_in_light_and_dark(browser: Browser, page: str) -> None:
    for scheme in ("light", "dark"):
        browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.open(page)
        assert browser.run(CONTRAST) == []
    browser.devtools("Emulation.setEmulatedMedia", features=[])


@pytest.mark.parametrize("which", ["page", "compared_page"])
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_axe_finds_nothing_serious(browser: Browser, request: pytest.FixtureRequest, which: str, scheme: str) -> None:
    import axe_core_python

    source = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8")
    browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open(request.getfixturevalue(which))
    browser.size(1400)
    browser.run("document.querySelectorAll('details').forEach((d, i) => { d.open = !d.closest('.block') || i < 40 })")
    browser.run(source + "; window.axe = axe; axe.run(document).then(found => { window.found = found.violations })")
    grave = (
        "return window.found && window.found.filter(v => ['serious', 'critical'].includes(v.impact))"
        ".map(v => [v.id, v.help, v.nodes.slice(0, 3).map(n => n.html.slice(0, 160))])"
    )
    browser.until("return !!window.found")
    assert browser.run(grave) == []
    browser.devtools("Emulation.setEmulatedMedia", features=[])
