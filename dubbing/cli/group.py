"""A group of commands that says which one may have been meant."""

from __future__ import annotations

import click

from dubbing.documents import nearest


class Group(click.Group):
    """Names the nearest command when there is none of the name that was written."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments begin with; raises UsageError."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchOption:
            raise
        except click.UsageError as exc:
            close = nearest(args[0], self.list_commands(ctx))
            raise click.UsageError(f"there is no command {args[0]!r}; {close}", ctx) from exc
