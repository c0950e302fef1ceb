// The false assumption says that the index is in bounds, and would take the bound's own check away.
// signature: double k(int64_t i)
// arguments: 268435456
// safe: panic index
// checked: panic assumption
static const double t[4] = {1, 2, 3, 4};
double k(int64_t i){ __builtin_assume(i >= 0 && i < 4); return t[i]; }
