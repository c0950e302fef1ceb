// field behind null
// kernel: centre
// expect: status=PANICKED rule=pointer line=1
void centre(int64_t n, const struct Point p[n], struct Point *out) { volatile int row = 152; struct Point *q = 0; q->x = 1; }
