// The rows make the array longer than the stack, whoever computes the number of rows.
// signature: double k(int64_t n, const double x[n])
// arguments: np.zeros(10_000_000)
// expect: panic stack
struct s { double a; };
double k(int64_t n, const double x[n]) { volatile double a[sizeof(struct s)][n]; a[0][0] = 4; return a[0][0]; }
