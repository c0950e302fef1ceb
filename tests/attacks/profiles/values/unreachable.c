// The call promises that this place is never reached, and reaches it.
// signature: double k(int64_t i)
// arguments: 268435456
// expect: panic unreachable
double k(int64_t i){ if (i > 3) __builtin_unreachable(); return i; }
