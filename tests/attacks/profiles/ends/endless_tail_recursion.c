// The recursion has no end and becomes a loop without a stack.
// signature: int k(int i)
// arguments: 1
// safe: panic interrupted | panic recursion
// checked: panic endless | panic recursion
static int h(int x) { return x == 5000 ? 0 : h(x ^ 1); }
int k(int i) { return h(i); }
