// It leaves the numbers as they are.
// kernel: sort
void sort(int64_t n, double x[n]) { ; }
