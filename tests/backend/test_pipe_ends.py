"""Ends of pipes whose numbers the program has closed, and given to files of its own."""

import contextlib
import os

import pytest

from symbiont_jit.backend.child_process import Deadline, LostPipesError, again_where_lost, spawn
from symbiont_jit.backend.pipe_ends import close_ends, make_pipes

CONTENT = b"the user's"


@pytest.fixture
def path(tmp_path):
    """A file of the user's."""
    made = tmp_path / "file"
    made.write_bytes(CONTENT)
    return made


@pytest.fixture
def child():
    """A process that answers what it is told, with a further input."""
    made = spawn(("/bin/sh", "-c", "exec cat"), "the child", "working", inputs=1)
    yield made
    made.end()


@contextlib.contextmanager
def taken_over(ends, path):
    """Close ends of pipes and open a file under each of their numbers, as a daemon does; the file has to stay."""
    opened = os.open(path, os.O_RDWR)
    for end in ends:
        os.dup2(opened, end.number)
    yield
    for number in (opened, *(end.number for end in ends)):
        assert os.path.samestat(os.fstat(number), path.stat())
        assert os.lseek(number, 0, os.SEEK_CUR) == 0
        os.close(number)
    assert path.read_bytes() == CONTENT


def test_what_has_the_numbers_of_lost_pipes_is_left_alone(child, path):
    """A child whose pipes were closed is neither written to nor read from, and its end closes nothing."""
    with taken_over((*child.pipes, *child.inputs), path):
        assert not child.is_usable
        for act in (
            lambda: child.write(b"x", Deadline(10.0)),
            lambda: child.feed(0, b"x", Deadline(10.0)),
            lambda: child.read(Deadline(10.0)),
            child.read_messages,
        ):
            with pytest.raises(LostPipesError, match="has closed the pipes to the child"):
                act()
        child.end_input()
        child.end()


def test_pipes_that_were_closed_and_not_replaced_are_lost(child):
    """A number that is nothing any more is no error of the system's, but of whoever closed it."""
    os.close(child.pipes[0].number)
    with pytest.raises(LostPipesError):
        child.write(b"x", Deadline(10.0))


def test_a_forked_child_closes_no_file_of_the_users(child, path):
    """Whoever closes all, opens files and forks keeps these in the child too."""
    with taken_over(child.pipes, path):
        forked = os.fork()
        if forked == 0:
            found = [os.path.samestat(os.fstat(end.number), path.stat()) for end in child.pipes]
            os._exit(not all(found))
        assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 0
        child.end()


def test_a_lost_end_is_none_of_a_pipe_that_has_its_number():
    """To close an end that was lost closes no later pipe of ours either."""
    lost = make_pipes(1)
    for end in lost:
        os.close(end.number)
    later = make_pipes(1)
    assert [end.number for end in later] == [end.number for end in lost]
    close_ends(*lost)
    assert all(end.is_whole for end in later)
    close_ends(*later)
    assert not any(end.is_whole for end in later)


def test_work_that_was_lost_is_done_anew_some_times():
    """What is lost once costs nothing, and what is lost again and again is the caller's error."""
    tried = []

    def work(fails):
        tried.append(None)
        if len(tried) <= fails:
            raise LostPipesError("lost")
        return "done"

    assert again_where_lost(lambda: work(2)) == "done"
    tried.clear()
    with pytest.raises(LostPipesError):
        again_where_lost(lambda: work(1000))
    assert len(tried) < 10
