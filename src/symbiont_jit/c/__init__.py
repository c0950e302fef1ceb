"""The one model of C: its tree, types, constants and loops, for everybody who handles C text. Knows pycparser alone."""
