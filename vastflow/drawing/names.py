"""What is a stream called?

Its class's name in kebab-case, or what its template makes of its parameters; unique where it stands. Names given by a
class are counted when they come again (`create`, `create-2`), names given to one stream must differ.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from string import Formatter
from typing import Any, NamedTuple

__all__ = ["Wanted", "faults_of_name", "faults_of_template", "filled", "given_out", "kebab"]

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_FIRST = re.compile(r"[.\[]")  # `{zone.name}` and `{zones[0]}` use a parameter as well
_REFUSED = re.compile(r"[/\[\]:\x00-\x1f\x7f]|^~|^\s|\s$")


class Wanted(NamedTuple):
    """A name that is asked for.

    Attributes:
        name: which.
        given: it was given to this one stream, so it may not be changed by counting.
    """

    name: str
    given: bool


def kebab(name: str) -> str:
    """Return a class's name as a stream is called: `AttachVolume` is `attach-volume`."""
    return _HUMPS.sub("-", name).replace("_", "-").strip("-").lower() or "river"


def faults_of_name(where: str, name: str) -> Iterator[str]:
    """Say what is wrong with a name."""
    if not name:
        yield f"{where}: the name is empty: write a text, such as 'east'"
    elif found := _REFUSED.search(name):
        yield (
            f"{where}: the name {name!r} holds {found[0]!r}, which addresses are made with or nobody can read: "
            f"take out / [ ] : and control characters, a ~ at the front and blanks around"
        )


def faults_of_template(where: str, template: str, parameters: Collection[str]) -> Iterator[str]:
    """Say what is wrong with a name that may use parameters, such as `create-{kind}`."""
    try:
        pieces = list(Formatter().parse(template))
    except ValueError as error:
        yield f"{where}: the name {template!r} is no template ({error}): write {{{{ and }}}} for braces in a name"
        return
    yield from faults_of_name(where, "".join(text + ("x" if used is not None else "") for text, used, _, _ in pieces))
    for _, used, _, _ in pieces:
        if used is not None and _FIRST.split(used)[0] not in parameters:
            known = ", ".join(parameters) or "none"
            yield f"{where}: the name {template!r} uses {{{used}}}: write one of its parameters ({known})"


def filled(template: str, parameters: Mapping[str, Any]) -> str:
    """Return the name a template makes of these parameters."""
    return Formatter().vformat(template, (), parameters)


def given_out(scope: str, wanted: Iterable[Wanted], faults: list[str]) -> Iterator[str]:
    """Return the name for each that is wanted in one scope, in drawing order; add what is wrong to the faults."""
    wanted = list(wanted)
    given = Counter(name for name, is_given in wanted if is_given)
    for name, times in given.items():
        if times > 1:
            faults.append(f"{scope}: {times} streams are called {name!r}: give each a name of its own")
    taken = set(given)
    counts: Counter[str] = Counter()
    return iter([name if is_given else _counted(name, counts, taken) for name, is_given in wanted])


def _counted(name: str, counts: Counter[str], taken: set[str]) -> str:
    while True:
        counts[name] += 1
        told = name if counts[name] == 1 else f"{name}-{counts[name]}"
        if told not in taken:
            taken.add(told)
            return told
