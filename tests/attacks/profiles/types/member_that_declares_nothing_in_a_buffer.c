// The struct's member that declares nothing would move the array within the caller's buffer.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused
struct S { struct T { double a[1 << 28]; }; double a[1]; }; double k(int64_t n, double x[n]) { struct S *p = (struct S *)x; return p->a[1 << 27]; }
