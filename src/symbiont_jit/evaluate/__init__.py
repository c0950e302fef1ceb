"""What became of a candidate: worker processes, agreement with the reference, time, metrics."""
