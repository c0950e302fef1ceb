"""The one model of C: its tree, types, constants and loops, for whoever handles C text. It imports pycparser alone."""
