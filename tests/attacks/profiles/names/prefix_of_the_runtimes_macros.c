// A name that the runtime's macros have.
// signature: double k(double x)
// arguments: 1.0
// expect: refused reserved
double k(double x) { double SJ_FRAME = x; return SJ_FRAME; }
