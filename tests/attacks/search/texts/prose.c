// prose
// kernel: dot
// expect: status=UNPARSED rule=syntax line=1
I cannot help with that.
