"""The runtime in this process: its slots for threads, and handlers of signals."""

import signal

from symbiont_jit.runtime.library import set_handler, thread_slots


def test_threads_without_a_slot_of_their_own_have_no_stack():
    """There is a slot for each of 4,096 threads, and the one before them, for all others, lets no call begin."""
    slots = thread_slots()
    assert (len(slots), slots[0].floor) == (4097, 2**62)


def test_a_handler_that_the_system_refuses_is_told_of():
    """No signal is handled that cannot be, and whoever asks hears it."""
    assert not set_handler(signal.SIGKILL, "sj_interrupt", 0)
