"""How a command ends: each kind of fault has one exit code and one way to be told."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from treaty.cli.harmless import echo
from treaty.errors import TreatyError

if TYPE_CHECKING:
    from treaty_codegen.language import Code

FINDINGS, USAGE, ENVIRONMENT, BUG, INTERRUPTED = 1, 2, 3, 4, 130


def run(command: click.Command, *, debug: bool, lang: Code = "en") -> int:
    """Runs ``command`` on ``sys.argv``; returns the exit code, never raises. Faults are told in ``lang``."""
    try:
        result = command.main(prog_name="treaty", standalone_mode=False)
        if sys.stdout is not None:  # it was closed before we began (`>&-`)
            sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted; files are as they were.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): point stdout at nothing so that the interpreter's own flush is quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    except TreatyError as error:
        return tell(error, debug=debug, lang=lang)
    except OSError as error:
        return tell_os(error, debug=debug)
    except Exception as error:  # noqa: BLE001  # the last place: a bug becomes a report, not a stack trace
        return report(error, debug=debug)
    return result if isinstance(result, int) else 0


def tell(error: TreatyError, *, debug: bool, lang: Code = "en") -> int:
    """Prints what is wrong and what to do next; returns the error's exit code."""
    if debug:
        traceback.print_exc()
    if lang == "en":
        words, following = str(error), "next"
    else:
        words, following = translated(error, lang)
    echo(f"treaty: {words}", err=True)
    if error.next_step:
        echo(f"  {following}: {error.next_step}", err=True)
    return error.exit_code


def translated(error: TreatyError, lang: Code) -> tuple[str, str]:
    """What the class of a fault means, in a language, then its own words where it has any; and the word for ``next``."""
    from treaty_codegen.language import language

    own = language(lang)
    meant = next((own.errors[each.__name__] for each in type(error).__mro__ if each.__name__ in own.errors), "")
    detail = "" if str(error) == (type(error).__doc__ or "") else f" {error}"
    return f"{meant}{detail}", own.say("next")


def tell_os(error: OSError, *, debug: bool) -> int:
    """Prints what the operating system refused, and where; returns 3."""
    if debug:
        traceback.print_exc()
    place = f" ({error.filename})" if error.filename else ""
    echo(f"treaty: {error.strerror or error}{place}", err=True)
    return ENVIRONMENT


def report(error: Exception, *, debug: bool) -> int:
    """Writes the full report to a private file; the terminal gets one sentence."""
    if debug:
        traceback.print_exc()
    from treaty import __version__

    handle, name = tempfile.mkstemp(prefix="treaty-report-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"treaty {__version__}, Python {sys.version}\n{called()}\n\n")
        traceback.print_exception(error, file=file)
    echo(
        f"treaty: this is a bug in treaty {__version__}, command {called()}: {type(error).__name__}: {error}\n"
        f"  next: report it with {Path(name)}",
        err=True,
    )
    return BUG


def called() -> str:
    """The command as it was called, without what follows its name: that may be a secret."""
    return f"treaty {' '.join(sys.argv[1:2])} …"
