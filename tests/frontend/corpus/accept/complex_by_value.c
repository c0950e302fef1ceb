// signature: rotate
// call: (1+2j,) -> (-2+1j)
// call: (3.0,) -> 3j
double complex rotate(double complex z) { return z * I; }
