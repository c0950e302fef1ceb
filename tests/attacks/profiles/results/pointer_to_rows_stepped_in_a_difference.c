// The step of a pointer to rows has a side effect that has to happen once.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 32.0
double k(int64_t n, double x[n]){ double (*p)[n] = (double (*)[n])x; double (*q)[n] = p; int64_t d = (p++) - q; return (char *)p - (char *)q + d; }
