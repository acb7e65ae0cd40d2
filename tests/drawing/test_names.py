"""Has every stream a name that is its own?"""

import pytest

from vastflow.drawing.names import Wanted, faults_of_name, given_out, kebab


@pytest.mark.promise("2.6")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("AttachVolume", "attach-volume"),
        ("VM", "vm"),
        ("HTTPServer2Up", "http-server2-up"),
        ("create_vm", "create-vm"),
        ("_Hidden", "hidden"),
        ("_", "river"),
    ],
)
def test_a_class_name_becomes_kebab_case(name: str, told: str) -> None:
    assert kebab(name) == told


def names(*wanted: Wanted) -> tuple[list[str], list[str]]:
    faults: list[str] = []
    return list(given_out("here", wanted, faults)), faults


@pytest.mark.promise("2.6")
def test_names_of_classes_are_counted_in_drawing_order() -> None:
    assert names(*[Wanted("create", given=False)] * 3) == (["create", "create-2", "create-3"], [])


@pytest.mark.promise("2.6")
def test_counting_passes_over_names_that_were_given() -> None:
    told, faults = names(
        Wanted("create", given=False),
        Wanted("create", given=False),
        Wanted("create-2", given=True),
        Wanted("create", given=False),
    )

    assert told == ["create", "create-3", "create-2", "create-4"]
    assert faults == []


@pytest.mark.promise("2.6")
def test_a_name_given_twice_is_a_fault() -> None:
    _, faults = names(Wanted("east", given=True), Wanted("west", given=True), Wanted("east", given=True))

    assert faults == ["here: 2 streams are called 'east': give each a name of its own"]


@pytest.mark.promise("2.6")
@pytest.mark.parametrize("character", ["/", "[", "]", ":"])
def test_a_character_that_addresses_are_made_with_is_refused_in_a_name(character: str) -> None:
    name = f"a{character}b"

    faults = list(faults_of_name("here", name))

    assert len(faults) == 1
    assert faults[0].startswith(f"here: the name {name!r} holds {character!r}")
    assert list(faults_of_name("here", "a-b")) == []
