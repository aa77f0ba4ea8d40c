"""A group of commands that suggests the nearest name for an unknown command."""

from __future__ import annotations

import click

from dubbing.documents import nearest


class Group(click.Group):
    """Suggests the nearest command when there is none of the given name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names; raises UsageError."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchOption:
            raise
        except click.UsageError as exc:
            close = nearest(args[0], self.list_commands(ctx))
            raise click.UsageError(f"there is no command {args[0]!r}; {close}", ctx) from exc
