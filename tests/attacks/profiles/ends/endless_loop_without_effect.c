// The loop has neither end nor effect, so the compiler may take it away and whatever follows with it.
// signature: int k(int i)
// arguments: 1
// safe: panic interrupted
// checked: panic endless 1:16
int k(int i) { while (i) { } return 3; }
