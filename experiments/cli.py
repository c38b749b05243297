"""The front of the command line: finds the command, runs it, turns errors into one message and an exit code.

Nothing heavy is imported before a command needs it, so that help and completion answer at once.
"""

from __future__ import annotations

import io
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TextIO

COMMANDS = {
    "battle": "fight the battles of a study, or those still missing",
    "plan": "show what battle would do and could find, without a call; lock=true locks it",
    "lint": "check the texts of the arms against each other",
    "detect": "find who is meant by every we in stored battles",
    "annotate": "label messages by hand on a local page, blind to arm and model",
    "report": "test, draw and write reports/<study>/",
    "import": "read transcripts of other tools into a study",
    "propose": "ask a model for new identities and keep those unlike all others",
}

EXAMPLES = {
    "battle": (
        "mitigation battle experiment=demo",
        "mitigation battle -m study=mine identity=control,unique_disassociative,placebo pairing=embedded replicates=20",
        "mitigation battle -m study=paid identity=control,placebo pairing=openai_vs_anthropic replicates=48 budget.usd=40",
    ),
    "plan": (
        "mitigation plan experiment=demo",
        "mitigation plan experiment=mitigation lock=true",
        "mitigation plan -m study=paid identity=control,unique_disassociative pairing=openai_vs_anthropic replicates=48",
    ),
    "lint": ("mitigation lint", "mitigation lint experiment=demo"),
    "detect": (
        "mitigation detect study=demo",
        "mitigation detect study=demo detector=judge panel=openai_and_anthropic dry_run=true",
        "mitigation detect study=demo detector=judge panel=openai_and_anthropic budget.usd=5",
    ),
    "annotate": (
        "mitigation annotate study=demo annotator=ann",
        "mitigation annotate study=demo annotator=ann battles=20",
        "mitigation annotate study=demo annotator=ann review=lexical",
    ),
    "report": (
        "mitigation report study=demo",
        "mitigation report 'study=[demo,mine]'",
        "mitigation report study=theirs outcomes=table.csv control=baseline rate=messages",
    ),
    "import": ("mitigation import path=transcripts study=theirs",),
    "propose": (
        "mitigation propose",
        "mitigation propose wordings=6 model=gpt_6_1_sol",
        "mitigation propose accept=NAME",
    ),
}

EXIT_CODES = (
    "Exit codes: 0 done; 2 wrong configuration or a model that cannot be used, no battle was begun; 3 battles failed, the run\n"
    "was stopped, or nothing to analyse; 4 stopped by the budget; 130 or 143 interrupted, every reply is stored."
)


def help_text(command: str | None = None) -> str:
    """Return the help of the tool or of one command."""
    if command:
        lines = [f"mitigation {command} [key=value ...] - {COMMANDS[command]}", "", "Examples:"]
        lines += [f"  {example}" for example in EXAMPLES[command]]
        return "\n".join([*lines, "", f"All keys and their defaults: conf/{'battle' if command == 'plan' else command}.yaml"])
    lines = ["mitigation COMMAND [key=value ...]", "", "Commands:"]
    lines += [f"  {name:<9}{what}" for name, what in COMMANDS.items()]
    lines += ["", "Three jobs:", "  mitigation battle experiment=demo", "  mitigation report study=demo", "  mitigation propose"]
    return "\n".join([*lines, "", "mitigation COMMAND --help shows examples.", EXIT_CODES])


def run(command: str, arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors become one message on standard error."""
    from mitigation.errors import MitigationError

    if {"-h", "--help"} & set(arguments):
        print(help_text(command))
        return 0
    try:
        main: Callable[[Sequence[str]], int] = import_module(f"experiments.{command}").main
        return main(arguments)
    except MitigationError as error:
        warn(f"mitigation {command}: {error}")
        if error.exit_code not in (0, 2):
            warn(f"run again with: mitigation {command} {shlex.join(arguments)}")
        return error.exit_code
    except KeyboardInterrupt:
        warn(f"mitigation {command}: interrupted; run again with: mitigation {command} {shlex.join(arguments)}")
        return 130


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line; a reader that went away or a full disk behind the stream does not stop a run that is being paid for."""
    with suppress(OSError, ValueError):
        print(visible(text), file=stream or sys.stdout, flush=True)


def warn(text: str) -> None:
    """Print a line on standard error."""
    say(text, sys.stderr)


def visible(text: str) -> str:
    """Return text that cannot steer a terminal: control characters are shown as escapes."""
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments = sys.argv[1:] if arguments is None else arguments
    command, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    code = 0
    try:
        if command in ("-h", "--help", "help"):
            print(help_text())
            return 0
        if command not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(command, COMMANDS, n=1)
            question = f"; did you mean {near[0]}?" if near else ""
            print(f"mitigation: {visible(command)!r} is no command{question}; there are: {', '.join(COMMANDS)}", file=sys.stderr)
            return 2
        code = run(command, rest)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader went away (`| head`); what was written to disk is unaffected.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code
