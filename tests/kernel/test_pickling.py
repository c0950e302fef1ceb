"""Pickles of the user's objects, beside those of the declarations: who is asked, and what comes back."""

import copy
import copyreg
import pickle

import pytest

from symbiont_jit import Frozen, Group, GroupRevision, Kernel, Revision

SOURCE = "int64_t up(int64_t x) { return x + 1; }"


class OwnKernel(Kernel):
    """A user's subclass."""


@pytest.mark.parametrize("kind", [Kernel, Group, Revision, GroupRevision, Frozen], ids=lambda kind: kind.__name__)
def test_the_classes_leave_pickling_to_copyreg(kind):
    """They know nothing of it, so that the module that does can stand above all of them."""
    assert kind in copyreg.dispatch_table
    assert kind.__reduce__ is object.__reduce__


def test_a_subclass_comes_back_as_a_kernel():
    """What a user added is not known there; calls are."""
    again = pickle.loads(pickle.dumps(OwnKernel.from_c(SOURCE)))
    assert (type(again), again(1)) == (Kernel, 2)


def test_a_copy_is_another_kernel_with_the_same_revision():
    """`copy` asks as `pickle` does; within one deep copy a kernel stays one."""
    kernel = Kernel.from_c(SOURCE)
    shallow, deep = copy.copy(kernel), copy.deepcopy([kernel, kernel])
    assert shallow is not kernel
    assert deep[0] is deep[1] is not kernel
    kernel.swap("int64_t up(int64_t x) { return x + 2; }")
    assert (kernel(1), shallow(1), deep[0](1)) == (3, 2, 2)
