// The false assumption in the default lets the compiler leave out the bound of a jump table.
// signature: double k(int64_t i)
// arguments: 268435456
// safe: value 1.0
// checked: panic assumption
double k(int64_t i){ double s = 1; switch (i) { case 0: s = 3; break; case 1: s = 4; break; case 2: s = cos(i); break; case 3: s = sin(i); break; case 5: s = tan(i); break; default: __builtin_assume(0); } return s; }
