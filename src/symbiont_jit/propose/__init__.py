"""Who proposes candidates: the offline mutator."""
