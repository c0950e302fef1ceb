// The length inside of sizeof is evaluated at run time and reads far behind the array.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
double k(int64_t n, double x[n]){ return sizeof(char[(int64_t)x[1 << 28]]); }
