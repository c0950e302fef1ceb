// The length of the rows is in a type of its own.
// signature: double k(int64_t n, const double x[n], int64_t a)
// arguments: np.ones(4), 1
// expect: refused compiler
double k(int64_t n, const double x[n], int64_t a) { typedef double T[1][1]; T *p = (T *)(const double (*)[2][2])x; p[a][0][0] = 5; return x[a]; }
