"""How a search and its result are shown to a person."""
