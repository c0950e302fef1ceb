"""What a proposer is, and the offline mutator, which needs no model."""
