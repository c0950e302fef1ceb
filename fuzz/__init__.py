"""Random candidates against the claim of the profiles `safe` and `checked`: no crash, no hang, no byte outside."""
