"""The `dayfly` command. Each subcommand is imported when it is asked for, so that `--help` and errors come at once."""

from __future__ import annotations

import importlib
import sys

import click

from dayfly.base import errors

COMMANDS = {
    "up": "Start the platform on this machine.",
    "operator": "Look after the FlyteWorkflow resources of a platform that runs elsewhere.",
    "run": "Register and run one workflow or task of a file, and show it.",
    "watch": "Show an execution while it runs, then its outputs.",
    "top": "Show runs, nodes and Dask workers, live.",
    "logs": "Print what an execution's tasks wrote.",
    "advice": "Say what a Dask task should ask for, by its past runs.",
    "cache": "Look at cached outputs, and remove some.",
    "secret": "Keep secrets for tasks.",
    "deploy": "Print what a Kubernetes cluster needs to run the platform.",
}
"""Name to one line of help; `dayfly.cli.<name>` holds `command`."""


class Lazy(click.Group):
    """A group that imports a command only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"dayfly.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, with nothing imported."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dayfly")
def group() -> None:
    """Run typed workflows, with a Dask cluster of its own for every Dask task."""


def main() -> None:
    """Run the command line; a Dayfly error is one clear line on standard error and exit code 1."""
    try:
        group(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except errors.DayflyError as error:
        click.secho(f"dayfly: {error}", fg="red", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
