// A tag is named like a library function that the text calls.
// signature: double k(double d)
// arguments: 1.0
// expect: refused redefined
union tan { double a; };
double k(double d) { return tan(d); }
