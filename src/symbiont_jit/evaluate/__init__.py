"""What became of a candidate: agreement with the reference, time, metrics, and the evaluator that runs them."""
