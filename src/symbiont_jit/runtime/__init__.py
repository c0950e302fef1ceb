"""The C that runs beside candidates: checks, panics, arenas, threads and interruptions, and its ctypes side."""
