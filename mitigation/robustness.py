"""An analysed study in; tables that show what the primary result hangs on, out. None of them decides a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from mitigation.arms import Arms
from mitigation.descriptions import Description, Section
from mitigation.diagnostics import by_level, dispersion, influence
from mitigation.factorial import factorial
from mitigation.family import family
from mitigation.monitoring import monitor
from mitigation.next_study import outlook, sample_sizes
from mitigation.seats import by_seat
from mitigation.sensitivity import sensitivity
from mitigation.side_effects import side_effects
from mitigation.types import AnalysisPlan, Transcript


def robustness(battles: pd.DataFrame, *, plan: AnalysisPlan, arms: Arms, outcome: str = "ingroup") -> Iterator[Description]:
    """Yield the treatments as one family, their factors and side effects, other analyses, levels and influential battles.

    Args:
        battles: one row per planned battle, as `Analysis.battles` holds them.
        arms: role and expected direction of each arm, by name.
        outcome: prefix of the primary outcome's columns.
    """
    if not battles["scored"].any():
        return
    tables = (
        Description(
            section=Section.CONTRASTS,
            name="family",
            title="All treatments together",
            about="Simultaneous intervals hold together in 95% of studies (Bonferroni over the treatments). The plan names "
            "Holm’s or max-T’s p values to decide the verdicts; max-T uses that the treatments share a control; Benjamini and "
            "Hochberg’s are for lists that are screened and then confirmed on fresh battles. None here allows for several looks.",
            frame=family(battles, plan=plan, arms=arms, outcome=outcome),
        ),
        Description(
            section=Section.MECHANISM,
            name="factorial",
            title="Unique × disassociative",
            about="Ratios of battles with the factor over battles without, from the arms shared_group (neither), "
            "unique_affiliated, same_unique and unique_disassociative (both). The interaction is the ratio of the two ratios.",
            frame=factorial(battles, plan=plan, outcome=outcome),
        ),
        Description(
            section=Section.SIDE_EFFECTS,
            name="side_effects",
            title="Side effects against the margin of the plan",
            about="Difference in the share of battles with at least one such message, with a 95% interval, which matches two "
            "one-sided tests at 2.5%: p within (of a rise that reaches the margin), p beyond (of one that does not). “Neither” "
            "is no safety. Longer battles hold more of everything: the shares of messages stand beside.",
            frame=side_effects(battles, plan=plan, arms=arms),
        ),
        Description(
            section=Section.SENSITIVITY,
            name="sensitivity",
            title="The primary contrast by other analyses",
            about="Ratios are treatment over control. No p value here is adjusted and none decides a verdict: the plan names the "
            "primary one. Methods that answer another question say so.",
            frame=sensitivity(battles, plan=plan, arms=arms, outcome=outcome),
        ),
        Description(
            section=Section.SENSITIVITY,
            name="monitoring",
            title="What may be looked at while a study runs",
            about="Bets against equal rates, block by block in the order fought. The e-value may be looked at after every block: "
            "if nothing differs it ever exceeds 20 in at most 5% of studies. It asks for more battles than the test of the plan, "
            "it is for one treatment at a time, and it decides no verdict here.",
            frame=monitor(battles, plan=plan, arms=arms),
        ),
        Description(
            section=Section.SENSITIVITY,
            name="levels",
            title="By scenario, pairing and opener",
            about="The primary test within each level. Whether the ratio differs between the levels is asked once a factor "
            "(p heterogeneity); a level with a large p value has few battles and is not shown to be without an effect.",
            frame=by_level(battles, plan=plan, arms=arms, outcome=outcome),
        ),
        Description(
            section=Section.SENSITIVITY,
            name="influence",
            title="The battles that the ratio hangs on most",
            about="Of all battles, those whose absence moves the ratio farthest down and up.",
            frame=influence(battles, plan=plan, arms=arms, outcome=outcome),
        ),
        Description(
            section=Section.SENSITIVITY,
            name="dispersion",
            title="How battles vary",
            about="Dispersion is the variance of messages with an in-group we over that of independent messages with one chance; "
            "the last column is the share of battles without any under that. Where battles differ among themselves only whole "
            "battles may be permuted.",
            frame=dispersion(battles, outcome=outcome),
        ),
    )
    yield from (table for table in tables if len(table.frame))


def next_study(battles: pd.DataFrame, *, plan: AnalysisPlan, outcome: str = "ingroup") -> Iterator[Description]:
    """Yield how many battles a next study needs, where the control's battles can tell it."""
    if (found := outlook(battles, plan=plan, outcome=outcome)) is not None:
        yield Description(
            section=Section.PLANNING,
            name="sample_sizes",
            title="Battles an arm",
            about="Power of a study of this size, and the battles an arm that give 80 and 90%, for planned rate ratios, if "
            f"battles vary as the control’s did here, at level {found.alpha:.3g} a comparison. They are not computed from the "
            "effect that was seen.",
            frame=sample_sizes(found),
        )


def seat_tables(
    messages: pd.DataFrame,
    transcripts: Sequence[Transcript],
    *,
    plan: AnalysisPlan,
    seats: Mapping[str, str],
    battles: pd.DataFrame,
) -> Iterator[Description]:
    """Yield the contrast of one agent of a battle at a time; arguments as in `seats.by_seat`."""
    if messages.empty or not messages["ingroup"].notna().any():
        return
    table = by_seat(messages, transcripts, plan=plan, seats=seats, battles=battles)
    if len(table):
        yield Description(
            section=Section.MECHANISM,
            name="seats",
            title="One agent at a time",
            about="Rate of the messages of one agent of each battle, against the agent in the same seat of control. Where only "
            "one agent was treated: the treated one, and its opponent.",
            frame=table,
        )
