// It allows the compiler to sum in another order.
// kernel: dot
double dot(int64_t n, const double x[n], const double y[n]) { 
#pragma clang fp reassociate(on)
double s = 0; for (int64_t i = 0; i < n; i++) s += x[i] * y[i]; return s; }
