"""`python -m mutants`."""

from mutants.run import main

main()
