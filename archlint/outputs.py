"""Where a report goes, and in which formats: all are rendered before the first is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.report import Report
from archlint.analyzer.text import nearest
from archlint.choices import Assets, Format
from archlint.configuration import Configuration
from archlint.output import NO_MODELS, is_model_name, terminal, write

Text = tuple[str, str | None, str]  # a text, its file or None for stdout, the option that names it
_OPTION, _HTML_OPTION = "--output", "--html"
_PACKAGE = "archlint.analyzer.report"
# Imported where they are asked for: few runs need more than one.
_FOR_PEOPLE = {Format.FULL: "full", Format.GROUPED: "grouped"}
_OF_THE_REPORT = {
    Format.JSON: "as_json", Format.JSON_LINES: "json_lines", Format.MARKDOWN: "markdown",
    Format.CSV: "tabular",
}  # fmt: skip
_IN_CONTEXT = {
    Format.SARIF: "sarif", Format.GITHUB: "github", Format.GITLAB: "gitlab", Format.JUNIT: "junit",
    Format.CHECKSTYLE: "checkstyle", Format.RDJSON: "rdjson", Format.AZURE: "azure",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Output:
    """A file that the report is written to in a format, and the option that asks for it."""

    output_format: Format
    file: str
    option: str = _OPTION

    @property
    def target(self) -> tuple[Format, str, str]:
        """What ``texts_of`` takes."""
        return self.output_format, self.file, self.option


def parse_outputs(
    texts: Sequence[str], output_file: str | None = None, pages: Sequence[str] = ()
) -> tuple[Output, ...]:
    """What ``--output FORMAT=FILE`` and ``--html FILE`` ask for, beside ``--output-file``.

    Raises ConfigError for what is no such pair, and for a file that is named twice.
    """
    outputs = (*map(_parsed, texts), *map(_page, pages))
    taken = set() if output_file is None else {_key(output_file)}
    for output in outputs:
        if _key(output.file) in taken:
            raise ConfigError(output.option, f"two reports would be written to {output.file}")
        taken.add(_key(output.file))
    return outputs


def _parsed(text: str) -> Output:
    word, sign, file = text.partition("=")
    source = f"{_OPTION} {text}"
    if word not in list(Format):
        near = nearest(word, Format) or f"; it can be {', '.join(Format)}"
        raise ConfigError(source, f"there is no format '{word}'{near}")
    if not sign or not file:
        raise ConfigError(source, f"names no file; write {word}=FILE")
    if _is_stdout(file):
        raise ConfigError(source, f"is for files; use --output-format {word} for stdout")
    return Output(Format(word), file)


def _page(file: str) -> Output:
    if not file:
        raise ConfigError(_HTML_OPTION, "names no file; write --html report.html")
    if _is_stdout(file):
        why = "is where the text report goes; name a file, as in --html report.html"
        raise ConfigError(f"{_HTML_OPTION} {file}", why)
    return Output(Format.HTML, file, _HTML_OPTION)


def _is_stdout(file: str) -> bool:
    """Whether it stands for stdout, or is the file that this was led to: each report would
    overwrite what the other says."""
    if file == "-":
        return True
    with suppress(OSError):
        return os.path.isfile(file) and os.path.samestat(os.stat(file), os.fstat(1))
    return False


def refuse_unwritable(
    outputs: Sequence[Output], output_file: str | None, named: str, models: Sequence[str]
) -> None:
    """Raise ConfigError for files that cannot be written, or are ``models``, before there is what
    to write; ``named`` is what the user has named ``output_file`` by."""
    files = [(one.option, one.file) for one in outputs]
    if output_file is not None:
        files.append((named, output_file))
    read = {_key(model) for model in models}
    for option, file in files:
        source, folder = f"{option} {file}", os.path.dirname(os.path.realpath(file))
        if _key(file) in read or is_model_name(file):
            raise ConfigError(source, NO_MODELS)
        if os.path.isdir(file):
            raise ConfigError(source, "cannot be written: Is a directory; name a file in it")
        if not os.path.exists(folder):
            why = "cannot be written: No such file or directory; make the folder first"
            raise ConfigError(source, why)


def refuse_lone_assets(assets: Assets, *, is_drawn: bool) -> None:
    """Raise ConfigError where assets are asked for beside no page."""
    if assets is not Assets.INLINE and not is_drawn:
        raise ConfigError("--assets", "is for HTML; give --html FILE too")


def _key(file: str) -> str:
    """What is the same for the same file, however it is named."""
    return os.path.normcase(os.path.realpath(file))


def rendered(
    report: Report,
    output_format: Format,
    output_file: str | None = None,
    configuration: Configuration | None = None,
    assets: Assets = Assets.INLINE,
) -> str:
    """The report as it is written to a file, or to stdout; ``assets`` are those of HTML."""
    if output_format is Format.HTML:
        from archlint.analyzer.report import html  # late: as all renderers

        return html.render(report, _stem(output_file) if assets is Assets.EXTERNAL else None)
    if output_format is Format.CONCISE:
        from archlint.analyzer.report import concise  # late: as all renderers

        return concise.render(report, terminal(output_file)[0])
    if output_format in _FOR_PEOPLE:
        return _renderer(_FOR_PEOPLE[output_format])(report, *terminal(output_file))
    if output_format in _OF_THE_REPORT:
        return _renderer(_OF_THE_REPORT[output_format])(report)
    from archlint.surroundings import context_of  # late: the documentation of rules is large

    context = context_of(report, output_format, configuration)
    return _renderer(_IN_CONTEXT[output_format])(report, context)


def _renderer(module: str) -> Callable[..., str]:
    found: Callable[..., str] = import_module(f"{_PACKAGE}.{module}").render
    return found


def write_all(
    report: Report,
    output_format: Format,
    output_file: str | None,
    named: str,
    outputs: Sequence[Output] = (),
    configuration: Configuration | None = None,
    assets: Assets = Assets.INLINE,
) -> None:
    """Write the files of ``outputs``, then the report itself to its file or to stdout; ``named`` is
    what the user has named that file by. External ``assets`` are written beside each HTML file."""
    every = (*(one.target for one in outputs), (output_format, output_file, named))
    write_texts(texts_of(report, every, configuration, assets))


def texts_of(
    report: Report,
    files: Iterable[tuple[Format, str | None, str]],
    configuration: Configuration | None = None,
    assets: Assets = Assets.INLINE,
) -> list[Text]:
    """The report in each format for its file, or stdout, that an option has named, with the assets
    beside it."""
    texts: list[Text] = []
    for kind, target, option in files:
        if kind is Format.HTML and assets is Assets.EXTERNAL:
            texts += ((text, path, option) for path, text in _asset_files(target))
        texts.append((rendered(report, kind, target, configuration, assets), target, option))
    return texts


def write_texts(texts: Sequence[Text]) -> None:
    """Write each text to its file; raises ConfigError where one would overwrite another."""
    _refuse_shared(texts)
    for text, file, option in texts:
        write(text, file, option)


def _refuse_shared(texts: Sequence[Text]) -> None:
    """Raise ConfigError where assets and reports would overwrite each other."""
    first: dict[str, str] = {}
    for text, file, option in texts:
        if file is not None and first.setdefault(_key(file), text) != text:
            raise ConfigError(option, f"the report and its assets would both be written to {file}")


def _stem(file: str | None) -> str:
    """What the names of assets beside an HTML file begin with; raises ConfigError without one."""
    if file is None:
        raise ConfigError("--assets external", "writes files beside the report; name it by -o FILE")
    return os.path.splitext(os.path.basename(file))[0]


def _asset_files(file: str | None) -> Iterator[tuple[str, str]]:
    """The files beside an HTML file, with what is in them."""
    from archlint.analyzer.report import html  # late: as all renderers

    for name, text in html.asset_files(_stem(file)).items():
        yield os.path.join(os.path.dirname(file or ""), name), text
