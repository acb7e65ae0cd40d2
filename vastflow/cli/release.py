"""Which release is this?"""

import click

import vastflow

__all__ = ["command"]


@click.command("version")
def command() -> None:
    """Say which release this is."""
    click.echo(f"vastflow {vastflow.__version__}")
