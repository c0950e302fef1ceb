"""A group of one function."""

from symbiont_jit import Group

SOURCE = "int64_t up(int64_t x) { return x + 1; }"


def group_of_one():
    group = Group()

    @group.evolvable
    def up(x: int) -> int: ...

    group.swap(SOURCE)
    return group
