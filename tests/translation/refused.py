"""Functions that have no C form, each with the line and the words that say so."""

import numpy as np

TABLE = {1: 2.0}


def dictionary(x):
    d = {}  # here
    d[0] = x[0]
    return d[0]


def listed(x):
    values = [v * 2 for v in x]  # here
    return len(values)


def generator(x):
    return sum(v for v in x)  # here


def raises(x):
    if x[0] < 0:
        raise ValueError("negative")  # here
    return x[0]


def prints(x):
    print(x[0])  # here
    return x[0]


def tries(x):
    try:  # here
        return x[0]
    except IndexError:
        return 0.0


def sorts(x):
    return np.sort(x)[0]  # here


def formats(x):
    return len(f"{x[0]}")  # here


def positive(x):
    return x[x > 0]  # here


def nested(x):
    def inner(v):  # here
        return v * v

    return inner(x[0])


def changes_type(x):
    y = x
    for i in range(3):  # here
        y = x[i]
    return y


def global_dictionary(x):
    return TABLE[1] * x[0]  # here


def strings(x):
    name = "abc"
    return name + x  # here


def asserts(x):
    assert x[0] > 0  # here
    return x[0]


MESSAGES = {
    dictionary: "a dictionary has no C form",
    listed: "a list comprehension has no C form",
    generator: "a generator has no C form",
    raises: "'raise' has no C form",
    prints: "print has no C form; leave it out",
    tries: "'try' has no C form",
    sorts: "sort has no C form; write what it does with loops",
    formats: "a formatted text has no C form",
    positive: "the length of this result depends on data",
    nested: "define it outside with @njit",
    changes_type: "'y' changes its type in the loop",
    global_dictionary: "a dictionary has no C form",
    strings: "an operator between 'abc' and an array has no C form",
    asserts: "'assert' raises",
}
