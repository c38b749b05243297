"""Contrasts in, English sentences out: the answer, the verdict of a card, the APA sentence, the methods paragraph."""

from __future__ import annotations

from typing import Final

from mitigation.figures import rows
from mitigation.figures.rows import ContrastRow
from mitigation.figures.wording import (
    NOT_ESTIMABLE,
    Verdict,
    adjusted_head,
    counted,
    interval,
    listed,
    noun,
    outcome,
    p_value,
    points,
    points_interval,
    rate,
    ratio,
    verdict,
    whole,
)
from mitigation.reporting.inputs import ReportInput

_CONCLUSIONS = {
    "supported": "{treatment} {verb} {noun}",
    "harm": "{treatment} did harm",
    "explained": "{treatment} changed {noun}, but another explanation fits as well",
    "lexical_only": "{treatment} changed the words, not the behaviour",
    "no_evidence": "{treatment} did not {moved} {noun} by an amount that matters",
    "underpowered": "{treatment}: too few battles to tell",
    "not_estimable": "{treatment}: these data cannot tell",
    "interim": "{treatment}: unfinished",
}


DIFFERENCES: Final = (
    "Always treatment against control. Ratios and p values of rates compare mean battle rates; the last difference is that of "
    "battles with at least one such message, in percentage points."
)


def shown_verdict(given: ReportInput, row: ContrastRow) -> Verdict:
    """Return the verdict as a card shows it; while battles are pending it is 'Interim', whatever the numbers say."""
    return verdict("interim" if given.interim else row.standing)


def answer(given: ReportInput) -> str:
    """Return the answer to the page's question: about the arms whose role is treatment, else about all."""
    found = rows.primary(given.analysis)
    if not found:
        return "There is nothing to compare: the study holds no contrast."
    if len(arms := rows.arms(given.analysis)) == 1:
        return f"{'In simulated data: ' if given.simulated else ''}There is nothing to compare: {arms[0].arm} is the only arm."
    treatments = {arm.arm for arm in rows.arms(given.analysis) if arm.role == "treatment"}
    asked = [row for row in found if row.treatment in treatments] or list(found)
    if given.interim:
        are = "is" if given.pending == 1 else "are"
        body = f"No answer yet: {counted(given.pending, 'battle')} of this study {are} still pending."
    elif len(asked) == 1:
        body = conclusion(given, asked[0]) + "."
    else:
        titles = [shown_verdict(given, row).title for row in asked]
        body = f"Of {len(asked)} treatments: {listed([f'{titles.count(t)} “{t}”' for t in dict.fromkeys(titles)])}."
    return f"In simulated data: {body}" if given.simulated else body


def conclusion(given: ReportInput, row: ContrastRow) -> str:
    """Return the verdict in half a sentence."""
    form = _CONCLUSIONS.get("interim" if given.interim else row.standing, "{treatment}: {verdict}")
    known = row.rate_control is not None and row.rate_treatment is not None
    verb = "changed" if not known else "lowered" if (row.rate_treatment or 0) < (row.rate_control or 0) else "raised"
    words = {
        "verb": verb,
        "moved": _excluded(given, row),
        "noun": noun(row.outcome),
        "verdict": verdict(row.verdict).title.lower(),
    }
    return form.format(treatment=row.treatment, **words)


def _excluded(given: ReportInput, row: ContrastRow) -> str:
    """Return which change of the smallest effect of interest the interval excludes."""
    smallest = given.analysis.plan.smallest_effect
    no_fall = row.ratio_low is not None and row.ratio_low > smallest
    no_rise = row.ratio_high is not None and row.ratio_high < 1 / smallest
    return "change" if no_fall == no_rise else "lower" if no_fall else "raise"


def effect(given: ReportInput, row: ContrastRow) -> str:
    """Return the two rates and their ratio with interval as one sentence."""
    per = given.analysis.plan.rate
    if row.rate_control is None or row.rate_treatment is None:
        return f"The rates under {row.treatment} and {row.control} are {NOT_ESTIMABLE}."
    if not row.rate_control and not row.rate_treatment:
        return f"There was no {noun(row.outcome)} in either arm ({row.treatment}, {row.control})."
    if per == "words":
        treated = f"{100 * row.rate_treatment:.2f} mentions of {noun(row.outcome)} per 100 words under {row.treatment}"
        return f"{treated}, against {100 * row.rate_control:.2f} under {row.control}: {ratio_words(row)}."
    treated = f"{rate(row.rate_treatment)} of a battle’s messages held {noun(row.outcome)} under {row.treatment}"
    return f"{treated}, against {rate(row.rate_control)} under {row.control}: {ratio_words(row)}."


def ratio_words(row: ContrastRow) -> str:
    """Return 'a rate ratio of 0.46, 95% CI [0.21, 0.84]', or how much of it can be known."""
    if row.rate_ratio is None:
        open_end = interval(row.ratio_low, row.ratio_high)
        return f"the rate ratio is {NOT_ESTIMABLE}" if open_end == NOT_ESTIMABLE else f"the rate ratio is {open_end} (95% CI)"
    return f"a rate ratio of {ratio(row.rate_ratio)}, {_ci(row)}"


def _ci(row: ContrastRow) -> str:
    # A ratio without any limit has no interval: none was made, which is not one that the data leave open.
    ends = interval(row.ratio_low, row.ratio_high)
    if ends == NOT_ESTIMABLE:
        return "without an interval"
    return "95% CI without a bound" if ends == "no bound" else f"95% CI {ends}"


def evidence(given: ReportInput, row: ContrastRow) -> str:
    """Return the p values and the sizes as one sentence; p values are left out while the study is unfinished."""
    sizes = f"{counted(row.n_treatment, 'battle')} against {whole(row.n_control)}"
    strata = strata_of(given, row)
    sizes += f", in {counted(strata, 'stratum').replace('stratums', 'strata')}" if strata else ""
    missing = missing_words(given, row)
    tests = ""
    if not given.interim:
        tests = "no p value" if row.p_value is None else f"p {p_value(row.p_value)}"
        primary = rows.primary(given.analysis)
        # Over looks the family is that of the plan; else it is what was tested.
        several_looks = given.analysis.plan.looks > 1
        family = len(primary) if several_looks else sum(other.p_adjusted is not None for other in primary)
        counts = (family, "comparisons"), (given.analysis.plan.looks, "looks")
        several = " and ".join(f"{count} {what}" for count, what in counts if count > 1)
        if row.p_adjusted is not None and several:
            tests += f", corrected for {several} p {p_value(row.p_adjusted)}"
        tests = f"{tests[0].upper()}{tests[1:]}" if tests.startswith("no") else tests
    return f"{tests}{'; ' if tests else ''}{sizes}; {missing}."


def missing_words(given: ReportInput, row: ContrastRow) -> str:
    """Say how many planned battles of the two arms have no score."""
    known = _gaps(given, row)
    total = sum(gap for _, gap in known)
    if not known:
        return "missing battles unknown"
    return "none missing" if not total else f"{total:,} missing ({', '.join(f'{gap:,} {name}' for name, gap in known)})"


def missing_count(given: ReportInput, row: ContrastRow) -> str:
    """Return the unscored battles of the two arms, '1 v 0', treatment first."""
    known = dict(_gaps(given, row))
    return f"{whole(known.get(row.treatment))} v {whole(known.get(row.control))}"


def _gaps(given: ReportInput, row: ContrastRow) -> list[tuple[str, int]]:
    both = [arm for arm in rows.arms(given.analysis) if arm.arm in (row.treatment, row.control)]
    return [(arm.arm, arm.planned - arm.scored) for arm in both if arm.planned is not None and arm.scored is not None]


def strata_of(given: ReportInput, row: ContrastRow) -> int:
    """Return the number of strata that hold scored battles of both arms."""
    battles = given.analysis.battles
    if "stratum" not in battles.columns:
        return 0
    scored = battles[battles["rate"].notna()] if "rate" in battles.columns else battles
    held = [set(scored.loc[scored["arm"] == arm, "stratum"]) for arm in (row.control, row.treatment)]
    return len(held[0] & held[1])


def apa(given: ReportInput, row: ContrastRow) -> str:
    """Return the contrast as it is written into a paper."""
    per = given.analysis.plan.rate
    name = outcome(row.outcome, per)
    name = f"{name[:1].lower()}{name[1:]}"
    parts = [f"{row.treatment} (n = {whole(row.n_treatment)}) against {row.control} (n = {whole(row.n_control)}), {name}"]
    if row.outcome.endswith("_any"):
        ends = points_interval(row.rd_low, row.rd_high)
        parts.append(f"risk difference = {points(row.risk_difference)} percentage points, 95% CI {ends}")
    else:
        parts.append(f"rate ratio = {ratio(row.rate_ratio)}, {_ci(row)}" if row.rate_ratio is not None else ratio_words(row))
    if not given.interim:
        parts.append("no p value" if row.p_value is None else f"p {p_value(row.p_value)}")
        name = adjusted_head(given.analysis.correction, given.analysis.plan.looks).replace(" (", "(")
        parts += [f"{name} {p_value(row.p_adjusted)}"] if row.p_adjusted is not None else []
    return f"{parts[0]}: {', '.join(parts[1:])}."


def measured(given: ReportInput) -> tuple[str, ...]:
    """Say how the outcome was measured, a paragraph each."""
    what = noun(rows.outcome(given.analysis))
    share = f"is the share of its generated messages that hold at least one {what}, both agents together."
    per_word = f"is its number of mentions of {what} divided by its number of words, both agents together."
    rule = (
        "A mention counts as in-group when a first-person plural (we, us, our, ours, ourselves, let’s) includes both agents. "
        "A “we” for people at large, for one’s own side, for the two as mere adversaries, or in a quotation does not count."
    )
    scored = "The scripted opener is never scored. A battle without a generated message is not scored; it is counted as missing."
    known = f"Detector: {given.detector}." if given.detector else "How the outcomes were detected is not recorded."
    rate_words = f"A battle’s rate {share if given.analysis.plan.rate == 'messages' else per_word}"
    return (rule, f"{rate_words} {scored}", known) if what == noun("ingroup_rate") else (rate_words, known)


def compared(given: ReportInput) -> tuple[ContrastRow, ...]:
    """Return the primary contrasts that have a treatment; a study of one arm has none."""
    known = set(given.analysis.contrasts["treatment"].dropna())
    return tuple(row for row in rows.primary(given.analysis) if row.treatment in known)


def apa_all(given: ReportInput) -> tuple[str, ...]:
    """Return the APA sentence of every primary contrast."""
    return tuple(apa(given, row) for row in compared(given))
