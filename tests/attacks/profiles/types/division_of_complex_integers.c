// The division of complex integers divides by zero without looking like a division of integers.
// signature: double k(int64_t i)
// arguments: 0
// expect: refused type
double k(int64_t i) { int _Complex a = 3, b = i; a = a / b; return a == 1; }
