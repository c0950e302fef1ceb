"""What stays loaded, as a model: whatever users do in whatever order, `prune()` takes exactly what nobody needs.

Invariant: code is loaded once it was called or activated; it must stay while it is active, while somebody has a handle of
it (also one that compiled code holds, or a frozen one), and, if it was ever active, while compiled code has the kernel.
"""

import gc
import pickle
import threading

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from numba import int64, njit, typeof
from numba.typed import List

from symbiont_jit import Group, Kernel, PanicError
from symbiont_jit.engine.target import target_of
from symbiont_jit.signature import SCALARS, Param, Signature
from tests.child import in_child
from tests.concurrency import await_true
from tests.kernel.running_loop import RunningLoop

UP = Signature("up", (Param("x", SCALARS["int64"]),), SCALARS["int64"])

#: What the revisions add: few values, so that equal texts come back, and clang compiles each of them once.
VALUES = st.integers(0, 5)
PICKS = st.integers(0, 99)


@njit(nogil=True)
def call_function(function, x):
    return function(x)


@njit
def call_again_and_again(function, x, times):
    for _ in range(times):
        yield function(x)


@njit(nogil=True)
def call_snapshot(group, x):
    now = group.snapshot()
    return now.up(x) + now.down(x) - x


@njit
def take_snapshot(group):
    return group.snapshot().up


class Lifecycle(RuleBasedStateMachine):
    """The rules that kernels and groups have in common; `values` are what the revisions add, by number."""

    def _make_owner(self):
        raise NotImplementedError

    def _text(self, value):
        raise NotImplementedError

    def _call(self, callee):
        """What an owner or a handle adds, called from Python."""
        raise NotImplementedError

    def _call_compiled(self):
        """What the owner adds, called from compiled code."""
        raise NotImplementedError

    def _function_of(self, callee):
        """A kernel or the handle of one, of an owner or of its handle."""
        raise NotImplementedError

    @initialize(value=VALUES, idle=st.booleans())
    def begin(self, value, idle):
        """Begin with a few revisions, of which one is active; `idle` is what every step's prune is told."""
        self.idle = idle
        self.owner = self._make_owner()
        self.values, self.loaded, self.was_active = [], set(), set()
        self.held, self.frozen = [], []
        self.functions = List.empty_list(typeof(self._function_of(self.owner)))
        self.owners = List.empty_list(typeof(self.owner))
        self.stored_handles, self.is_stored, self.is_global = [], False, False
        self.loops, self.generators = [], []
        for number in range(3):
            self.compile(number)
        self.swap(value)

    def teardown(self):
        """Let compiled code give back what it has."""
        self._clear_lists()
        for loop in self.loops:
            loop.end()
        for generator in self.generators:
            assert list(generator)

    def _clear_lists(self):
        self.functions.clear()
        self.owners.clear()

    def _pick(self, number):
        return number % len(self.values)

    def _registered(self, value):
        """The number of a value's revision, which is a new one unless there is one."""
        if value not in self.values:
            self.values.append(value)
        return self.values.index(value)

    def _make_active(self, number):
        self.active = number
        self.loaded.add(number)
        self.was_active.add(number)

    # -- revisions ------------------------------------------------------------------------------------------------

    @rule(value=VALUES)
    def compile(self, value):
        """A text that is known already gives the revision that there is."""
        assert self.owner.compile(self._text(value)).number == self._registered(value)

    @rule(value=VALUES)
    def swap(self, value):
        """Compile and activate."""
        number = self.owner.swap(self._text(value)).number
        assert number == self._registered(value)
        self._make_active(number)

    @rule(numbers=st.lists(PICKS, min_size=1, max_size=4))
    def activate(self, numbers):
        """Go to any revisions, one after the other; what had to go is loaded again."""
        for number in map(self._pick, numbers):
            self.owner.activate(np.int64(number))
            self._make_active(number)

    @precondition(lambda self: not self.loops)
    @rule(number=PICKS)
    def lend(self, number):
        """A candidate is active for a while, and leaves nothing behind; no other thread may be inside when it goes."""
        target = target_of(self.owner)
        text = self._text(self.values[self._pick(number)])
        candidate = target.candidate(target.build(target.canonical(text), "safe"))
        with target.temporarily_active(candidate) as owner:
            assert self._call(owner) == self.values[self._pick(number)]

    # -- handles --------------------------------------------------------------------------------------------------

    @rule(number=PICKS)
    def hold(self, number):
        """Somebody has a handle."""
        self.held.append(self.owner.revision(self._pick(number)))

    @precondition(lambda self: self.held)
    @rule(number=PICKS)
    def call_handle(self, number):
        """A handle is what it was, from Python and from compiled code; its code is loaded for the call."""
        handle = self.held[number % len(self.held)]
        assert self._call(handle) == self.values[handle.number]
        assert call_function(self._function_of(handle), 10) == 10 + self.values[handle.number]
        self.loaded.add(handle.number)

    @rule(number=PICKS)
    def visit(self, number):
        """Somebody calls a handle and drops it."""
        assert self._call(self.owner.revision(self._pick(number))) == self.values[self._pick(number)]
        self.loaded.add(self._pick(number))

    @precondition(lambda self: self.held)
    @rule(number=PICKS)
    def drop(self, number):
        """A handle goes."""
        del self.held[number % len(self.held)]

    @precondition(lambda self: self.held)
    @rule(number=PICKS)
    def store_handle(self, number):
        """Compiled code keeps a handle; that of a group is one of its functions."""
        handle = self.held[number % len(self.held)]
        self.functions.append(self._function_of(handle))
        self.stored_handles.append(handle.number)
        self.loaded.add(handle.number)

    @rule(number=PICKS)
    def freeze(self, number):
        """A frozen revision keeps a handle."""
        kernel = self._function_of(self.owner)
        self.frozen.append(kernel.freeze(self._pick(number)))

    @precondition(lambda self: self.frozen)
    @rule()
    def call_and_drop_frozen(self):
        """From Python it is called like the handle."""
        frozen = self.frozen.pop()
        assert frozen(10) == 10 + self.values[frozen.revision]
        self.loaded.add(frozen.revision)

    # -- calls ----------------------------------------------------------------------------------------------------

    @rule()
    def call_owner(self):
        """All ways lead to the active revision."""
        assert self._call(self.owner) == self._call_compiled() == self.values[self.active]

    @rule(is_member=st.booleans())
    def store_owner(self, is_member):
        """Compiled code keeps a kernel or the group, and may be inside whatever was active."""
        if is_member:
            self.functions.append(self._function_of(self.owner))
        else:
            self.owners.append(self.owner)
        self.is_stored = True

    @precondition(lambda self: self.is_stored or self.stored_handles)
    @rule()
    def clear_store(self):
        """Compiled code gives back all that it kept."""
        self._clear_lists()
        gc.collect()
        self.stored_handles, self.is_stored = [], False

    @precondition(lambda self: not self.is_global)
    @rule()
    def use_as_global(self):
        """A compiled function has a kernel as a constant: nobody can count its calls."""
        kernel = self._function_of(self.owner)
        assert njit(lambda: kernel(int64(10)))() == 10 + self.values[self.active]
        self.is_global = True

    @precondition(lambda self: len(self.loops) < 2)
    @rule()
    def start_loop(self):
        """A compiled loop without Python's lock has the kernel, and may be inside whatever was active."""
        self.loops.append(RunningLoop(self._function_of(self.owner), 10))

    @precondition(lambda self: self.loops)
    @rule()
    def end_loop(self):
        """Its last call went to the active revision."""
        assert self.loops.pop().end() == 10 + self.values[self.active]

    @rule()
    def start_generator(self):
        """A generator of compiled code has the kernel between its calls."""
        generator = call_again_and_again(self._function_of(self.owner), 10, 3)
        assert next(generator) == 10 + self.values[self.active]
        self.generators.append(generator)

    @precondition(lambda self: self.generators)
    @rule()
    def end_generator(self):
        """It goes on with the active revision, and gives the kernel back at its end."""
        assert list(self.generators.pop()) == [10 + self.values[self.active]] * 2
        gc.collect()

    @rule(is_handle=st.booleans())
    def interrupt(self, is_handle):
        """A call that does not end keeps its code, and ends when it is interrupted."""
        callee, ended = self.owner.revision(self.active) if is_handle else self.owner, []

        def call():
            try:
                self._function_of(callee)(-1)
            except PanicError as error:
                ended.append(error.panic.kind)

        thread = threading.Thread(target=call)
        thread.start()
        assert await_true(lambda: self.owner.interrupt() >= 0 and not thread.is_alive())
        assert ended == ["interrupted"]

    @rule()
    def fork(self):
        """A child has what is loaded here; the threads of its parent are not in it, but what they had is kept."""

        def act():
            found = self._call(self.owner), self._call_compiled(), self.owner.prune(), self.owner.memory().loaded
            self.owner.swap(self._text(5))
            return str((*found, self._call(self.owner)))

        expected = self.values[self.active], self.values[self.active], [], len(self.loaded), 5
        assert in_child(act, 60) == str(expected)

    @rule()
    def copy(self):
        """A pickle begins with the active revision, and has nothing loaded but that once it is called."""
        copied = pickle.loads(pickle.dumps(self.owner))
        assert (copied.memory().loaded, self._call(copied), copied.prune()) == (0, self.values[self.active], [])

    # -- memory ---------------------------------------------------------------------------------------------------

    @rule(keep=PICKS, idle=st.booleans())
    def prune(self, keep, idle):
        """What goes is what nobody needs, and nothing that is to be kept."""
        self._prune({self._pick(keep)}, idle)

    def _prune(self, keep=frozenset(), idle=False):
        is_inside = self.is_stored or self.loops or self.generators or (self.is_global and not idle)
        may_be_inside = self.was_active if is_inside else set()
        gone = self.loaded - keep - may_be_inside - self._pinned() - {self.active}
        assert self.owner.prune(keep=keep, idle=idle) == sorted(gone)
        self.loaded -= gone
        self.was_active -= gone

    def _pinned(self):
        return {h.number for h in self.held} | {f.revision for f in self.frozen} | {*self.stored_handles}

    @invariant()
    def takes_the_complement(self):
        """After every step the kernel and the model agree on what is loaded, held, and of no use."""
        memory = self.owner.memory()
        assert (memory.revisions, memory.loaded) == (len(self.values), len(self.loaded))
        assert memory.held == tuple(sorted(self._pinned()))
        self._prune(idle=self.idle)


class KernelLifecycle(Lifecycle):
    """A kernel that is alone."""

    def _make_owner(self):
        return Kernel(UP)

    def _text(self, value):
        return f"int64_t up(int64_t x) {{ while (x < 0) {{ }} return x + {value}; }}"

    def _call(self, callee):
        return callee(10) - 10

    def _call_compiled(self):
        return call_function(self.owner, 10) - 10

    def _function_of(self, callee):
        return callee


class GroupLifecycle(Lifecycle):
    """A group of two functions; each handle is of both."""

    def _make_owner(self):
        group = Group()

        @group.evolvable
        def up(x: int) -> int: ...

        @group.evolvable
        def down(x: int) -> int: ...

        return group

    def _text(self, value):
        body = "while (x < 0) {{ }} return x {} {};"
        up, down = body.format("+", value), body.format("-", value)
        return f"int64_t up(int64_t x) {{ {up} }}\nint64_t down(int64_t x) {{ {down} }}"

    def _call(self, callee):
        assert callee["up"](10) - 10 == 10 - callee["down"](10)
        return callee["up"](10) - 10

    def _call_compiled(self):
        assert call_snapshot(self.owner, 10) == 10
        return call_function(self.owner["up"], 10) - 10

    def _function_of(self, callee):
        return callee["up"]

    @rule()
    def hold_snapshot(self):
        """A function of a snapshot comes back to Python as the handle."""
        taken = take_snapshot(self.owner)
        assert taken is self.owner.revision(self.active)["up"]
        self.held.append(self.owner.revision(self.active))


#: A step compiles and calls, which may take a while; how long is no matter of health.
SMALL = settings(max_examples=6, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
TestKernel = pytest.mark.slow(KernelLifecycle.TestCase)
TestKernel.settings = SMALL
TestGroup = pytest.mark.slow(GroupLifecycle.TestCase)
TestGroup.settings = SMALL
