"""A command as it was typed, for who runs it again."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from typer import Context

from archlint.remote import Address, is_remote

# Where and how fast a report is written, which changes nothing of what it says.
_ELSEWHERE = frozenset({
    "output_format", "output_file", "output", "html", "assets", "jobs", "no_cache", "executor",
    "watch",
})  # fmt: skip


def typed_command(context: Context) -> str:
    """The command and its arguments as a shell reads them; a URL is told without what lets somebody
    in."""
    return " ".join(map(quote, ("archlint", str(context.command.name), *_words(context))))


def _words(context: Context) -> Iterator[str]:
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        if name in _ELSEWHERE or source is None or source.name != "COMMANDLINE":
            continue
        given = context.params[name]
        is_option = parameter.param_type_name == "option"
        if isinstance(given, bool):
            yield parameter.opts[-1] if given else parameter.secondary_opts[-1]
            continue
        for value in given if isinstance(given, list | tuple) else [given]:
            if is_option:
                yield max(parameter.opts, key=len)
            text = f"{value:g}" if isinstance(value, float) else str(value)
            yield Address(text) if is_remote(text) else text
