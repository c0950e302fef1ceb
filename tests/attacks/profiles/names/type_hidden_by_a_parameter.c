// Within the list of parameters the name is the type for whoever reads the text, and the parameter for the compiler.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.arange(64.0)[:8], 50
// expect: refused redefined
typedef char T[100000];
static double g(double T, double y[][sizeof(T) + N], int64_t k, int64_t N) { return y[0][k]; }
double k(int64_t n, double x[n], int64_t i) { return g(1, (void *)x, i, 0); }
