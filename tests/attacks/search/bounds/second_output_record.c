// second output record
// kernel: centre
// expect: status=PANICKED rule=index line=1
void centre(int64_t n, const struct Point p[n], struct Point *out) { volatile int row = 129; out[n].x = 1; }
