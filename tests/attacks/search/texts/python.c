// python
// kernel: dot
// expect: status=UNPARSED rule=syntax line=1
def dot(x, y):
    return x @ y

