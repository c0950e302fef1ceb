"""Answers of a model, good ones and each kind of bad ones."""


def fenced(code):
    return f"Here it is.\n\n```c\n{code}\n```\n"


GOOD = fenced("double f(double x, int64_t n) { return x * n; }")
BETTER = fenced("double f(double x, int64_t n) { return x * n + 1; }")
UNTYPED = fenced("double f(double x, int64_t n) { return y; }")
