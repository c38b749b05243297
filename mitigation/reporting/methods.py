"""The plan and the sizes of a study in; the methods paragraph of a paper out: only what was done is told."""

from __future__ import annotations

from mitigation.figures import rows
from mitigation.figures.wording import counted, listed, noun
from mitigation.reporting.inputs import ReportInput
from mitigation.reporting.sentences import compared


def methods(given: ReportInput) -> str:
    """Return the methods paragraph, from the plan and the sizes of this study."""
    plan, arms, found = given.analysis.plan, rows.arms(given.analysis), compared(given)
    battles = counted(sum(arm.scored or 0 for arm in arms), "scored battle")
    if not found:
        return f"The study holds {battles} of one arm: nothing was compared."
    tests = list(dict.fromkeys(row.test for row in found if row.p_value is not None))
    told = [
        f"{counted(len(found), 'arm')} {'was' if len(found) == 1 else 'were'} compared with {plan.control} on {battles}.",
        f"The battle was the unit of {'randomisation and of ' if given.definitions else ''}analysis.",
        f"Risk differences of battles with any {noun(rows.outcome(given.analysis))} carry Newcombe’s interval.",
    ]
    strata = "" if given.messages is None else " (scenario, pairing, opener)"
    if tests:
        told[2:2] = [
            f"Labels of whole battles were permuted within strata{strata}; "
            f"the two-sided level of the primary outcome was {plan.alpha:g}.",
            "Rate ratios are ratios of mean battle rates; their 95% intervals invert the same test, "
            "and an end that the data do not bound is reported as unbounded.",
        ]
        told += [f"Test of the primary outcome: {listed(tests)}."]
        after = {"holm": "after Holm", "max_t": "by step-down max-T (Westfall and Young)"}[given.analysis.correction]
        told += [f"Its p values were corrected over the comparisons {after}."] if len(found) > 1 else []
    else:
        told.insert(2, "Nothing was tested.")
    if plan.looks > 1:
        told += [f"The plan had {plan.looks} looks at complete blocks with O’Brien–Fleming boundaries; {_looks(given)}."]
    return " ".join(told)


def _looks(given: ReportInput) -> str:
    """Say which look a report is of, and what allows for the looks."""
    look = given.analysis.look
    if look is None or given.interim:
        return "no look has shown an effect yet" if look is not None and look.number else "no look was reached yet"
    return f"this is {look}; the adjusted p value is a repeated p value, the ratio’s interval a repeated confidence interval"
