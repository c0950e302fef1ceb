// It leaves the numbers as they are.
// kernel: prefix
void prefix(int64_t n, double x[n]) { ; }
