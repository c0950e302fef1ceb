// It writes numbers that are sorted and nobody's.
// kernel: sort
void sort(int64_t n, double x[n]) { for (int64_t i = 0; i < n; i++) x[i] = (double)i / n; }
