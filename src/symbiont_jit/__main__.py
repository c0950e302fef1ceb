"""`python -m symbiont_jit` is the command line."""

from symbiont_jit.cli import main

if __name__ == "__main__":
    main()
