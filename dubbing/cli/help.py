"""`dubbing help`: the documents that come with the program, and the help of commands."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from dubbing.cli.output import echo, print_document, print_table
from dubbing.documents import nearest
from dubbing.errors import NotFound

OTHERS = ("README.md", "SECURITY.md", "CHANGELOG.md")
"""Documents beside the folder of documents."""


def _complete(_context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in topics() if name.startswith(begun)]


@click.command()
@click.argument("topic", default="", shell_complete=_complete)
@click.pass_context
def help(context: click.Context, topic: str) -> None:
    """Show the document on TOPIC, or the help of a command; without TOPIC, list the documents."""
    found = topics()
    if not topic:
        print_table(("topic", "about"), [(name, _title(path)) for name, path in found.items()])
    elif path := found.get(topic.lower()):
        print_document(path.read_text(encoding="utf-8"))
    else:
        _show_command(context, topic, [*found])


def topics() -> dict[str, Path]:
    """Return the documents by their names: those of the wheel, or in a checkout those beside it."""
    package = Path(__file__).parents[1]
    root = package.parent
    kept = package / "docs"
    beside = [*root.glob("docs/*.md"), *map(root.joinpath, OTHERS)]
    paths = kept.glob("*.md") if kept.is_dir() else beside
    return {path.stem.lower(): path for path in sorted(paths, key=lambda path: path.stem.lower())}


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        return next(lines).lstrip("# ").strip()


def _show_command(context: click.Context, name: str, names: list[str]) -> None:
    """Print the help of a command; raises NotFound."""
    group = context.find_root().command
    assert isinstance(group, click.Group)  # noqa: S101 - the root of the command line is one
    command = group.get_command(context, name)
    if command is None:
        known = nearest(name, [*names, *group.list_commands(context)])
        raise NotFound(f"there is no document or command {name!r}; {known}")
    echo(click.Context(command, info_name=name, parent=context.parent).get_help())
