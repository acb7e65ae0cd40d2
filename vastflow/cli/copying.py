"""How is a store copied from a shell?"""

import os

import click

from vastflow.cli.source import reading, store_option

__all__ = ["command"]


@click.command("backup")
@click.argument("path", type=click.Path(dir_okay=False))
@store_option
def command(path: str, url: str) -> None:
    """Copy a store into a new file, while it is served or not.

    The copy is the store as it stands at one moment. Of the inbox beside it nothing is copied: what was asked for and
    not taken in yet.
    """
    with reading(url) as reader:
        reader.backup(path)
    click.echo(f"{path}: {os.path.getsize(path)} bytes")  # noqa: PTH202  # the path is text here
