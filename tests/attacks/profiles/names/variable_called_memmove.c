// A variable that has the name of a library function, which the text calls by another name.
// signature: double k(double x)
// arguments: 2.0
// expect: value 4.0
double k(double x) { double memmove = 2, a = x, b; memcpy(&b, &a, sizeof b); return b + memmove; }
