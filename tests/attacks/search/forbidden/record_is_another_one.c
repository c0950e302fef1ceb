// record is another one
// kernel: centre
// expect: status=REJECTED rule=struct line=1
struct Point { double x; };
void centre(int64_t n, const struct Point p[n], struct Point *out) { volatile int row = 65; out->x = 0; }
