// wider than the array
// kernel: sort
// expect: status=PANICKED rule=pointer line=2
struct w { double a[100]; };
void sort(int64_t n, double x[n]) { volatile int row = 141; struct w *p = (struct w *)x; p->a[0] = 1; }
