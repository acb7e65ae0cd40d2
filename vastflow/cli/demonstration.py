"""What does `vastflow demo` do?

It runs a flow against a simulated cloud and shows it; it can kill itself half-way, and go on later.
"""

import os
import shlex
import signal
import sys
from concurrent.futures import wait
from pathlib import Path
from typing import NoReturn

import click
from rich.table import Column

from vastflow.cli.output import is_lively, make_table, write
from vastflow.cli.view import LiveView, PlainView, View
from vastflow.cli.wording import failed_because, plain, took
from vastflow.demo import interruption
from vastflow.demo.flow import RIVERS, Water
from vastflow.demo.scene import FLOW, Made, Scene
from vastflow.engine import Engine, Flow, FlowStatus
from vastflow.log import reset, setup

__all__ = ["command"]

_FRAME = 0.1  # seconds
_INTERRUPTED = 130  # what a shell says of a process that Ctrl-C ended
_FOLDER = click.Path(file_okay=False, path_type=Path)
_THERE = click.Path(file_okay=False, path_type=Path, exists=True)


@click.command("demo")
@click.option("--kill-at", type=click.Choice(RIVERS), help="Kill this process (SIGKILL) when this river is under way.")
@click.option("--resume", type=_THERE, metavar="FOLDER", help="Go on with the demo in this folder.")
@click.option("--folder", type=_FOLDER, metavar="FOLDER", help="Where to keep everything; else in a new one.")
@click.option(
    "--ready-after", type=click.FloatRange(min=0), default=5.0, metavar="SECONDS", help="What the cloud takes; 5."
)
def command(kill_at: str | None, resume: Path | None, folder: Path | None, ready_after: float) -> None:
    """Run a flow against a small simulated cloud, and watch it.

    A VM and a volume are created side by side, polled until both are ready, and attached. The cloud is a process of its
    own: kill this one half-way, and the flow goes on with the same VM.
    """
    scene = _scene(resume, folder)
    before = scene.made() if resume is not None else None
    if kill_at is not None:
        interruption.await_at(kill_at)
    _open(before)
    try:
        scene.start_cloud(ready_after)
        status, water = _run(scene, is_new=resume is None)
    except ConnectionError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        _say_how_to_go_on(scene, "Interrupted.")
        sys.exit(_INTERRUPTED)
    scene.stop_cloud()
    _close(scene, status, water, before)
    sys.exit(0 if status.state == "success" else 1)


def _scene(resume: Path | None, folder: Path | None) -> Scene:
    match resume, folder:
        case Path(), Path():
            raise click.UsageError("--resume names the folder already: leave --folder out")
        case Path(), None:
            scene = Scene.at(resume)
            scene.check()
            return scene
        case _:
            scene = Scene.at(folder) if folder is not None else Scene.new()
            if scene.has_store:
                message = f"there is a demo in {scene.folder} already: say --resume to go on, or name another folder"
                raise click.UsageError(message)
            return scene


def _open(before: list[Made] | None) -> None:
    if before is None:
        click.echo("A VM and a volume are created side by side, polled until ready, and attached.")
        click.echo("The cloud is simulated, a process of its own; each step of the flow is on disk.\n")
    else:
        click.echo("The flow goes on. The cloud was asked before to make:\n")
        _write_made(before)
        click.echo()


def _run(scene: Scene, *, is_new: bool) -> tuple[FlowStatus, Water | None]:
    view: View = LiveView() if is_lively() else PlainView()
    with scene.log.open("a", encoding="utf-8") as log:
        setup("info", json=True, stream=log)
        try:
            with Engine(scene.url, serve=True) as engine:
                flow = scene.begin(engine) if is_new else scene.go_on(engine)
                _watch(engine, flow, view, scene)
                status = flow.status()
                return status, flow.result() if status.state == "success" else None
        finally:
            view.end()
            reset()


def _watch(engine: Engine, flow: Flow[Water], view: View, scene: Scene) -> None:
    ending = engine.ending(flow.id)
    while not wait([ending], timeout=_FRAME).done:
        reached = interruption.reached()
        view.show(flow.status())
        if reached:
            view.end()
            _die(scene, reached)
    view.show(flow.status())


def _die(scene: Scene, address: str) -> NoReturn:
    _say_how_to_go_on(scene, f"{address} is under way: this process (pid {os.getpid()}) kills itself, SIGKILL.")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit(1)  # never comes to this


def _say_how_to_go_on(scene: Scene, what: str) -> None:
    click.echo(f"\n{what}")
    click.echo("The cloud is another process and lives on. Look, and go on with the same VM:\n")
    _say_how_to_look(scene)
    click.echo(f"  {_program()} demo --resume {shlex.quote(str(scene.folder))}")


def _say_how_to_look(scene: Scene) -> None:
    store = shlex.quote(scene.url)
    click.echo(f"  {_program()} list --store {store}")
    click.echo(f"  {_program()} show {FLOW} --events --store {store}")


def _close(scene: Scene, status: FlowStatus, water: Water | None, before: list[Made] | None) -> None:
    span = f" {took((status.ended - status.started).total_seconds())} after the start" if status.ended else ""
    if water is not None:
        told = f"Success{span}: {water.volume} is attached to {water.vm}."
    elif status.failure is not None:
        told = f"Failed{span}: {failed_because(status.failure)}"
    else:
        told = f"The flow cannot go on: {status.stranded}"
    click.echo()
    write(plain(told))
    click.echo("\nThe cloud was asked to make:\n")
    _write_made(scene.made(), before)
    click.echo("\nLook again:\n")
    _say_how_to_look(scene)


def _write_made(made: list[Made], before: list[Made] | None = None) -> None:
    table = make_table(Column(), Column(), Column())
    known = {each.id for each in before or ()}
    for each in made:
        remark = "the same as before" if each.id in known else ""
        table.add_row(plain(f"  {each.id}"), f"asked {_times(each.asked)}, created {_times(each.made)}", remark)
    write(table)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _program() -> str:
    return click.get_current_context().find_root().info_name or "vastflow"
