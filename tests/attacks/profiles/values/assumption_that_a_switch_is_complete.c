// The false assumption lets the compiler leave out the bound of a jump table.
// signature: double k(int64_t i)
// arguments: 268435456
// safe: value 0.0
// checked: panic assumption
double k(int64_t i){ __builtin_assume((uint64_t)i < 8); switch (i) { case 0: return 3; case 1: return 11; case 2: return 5; case 3: return 1.5; case 4: return 9; case 5: return 19; case 6: return 23; case 7: return 42; } return 0; }
