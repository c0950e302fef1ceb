// A copy of 30 MB is one step of the loop, and counts for its bytes.
// signature: int64_t k(int64_t i)
// arguments: 1 << 40
// safe: panic interrupted
// checked: panic endless
struct B { char a[30000000]; }; int64_t k(int64_t i) { struct B *p = malloc(sizeof(struct B)), *q = malloc(sizeof(struct B)); int64_t s = 0; while (s < i) { *p = *q; q->a[s % 100] = (char)s; s++; } return s; }
