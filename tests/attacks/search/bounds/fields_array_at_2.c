// field's array at 2
// kernel: centre
// expect: status=PANICKED rule=index line=1
void centre(int64_t n, const struct Point p[n], struct Point *out) { volatile int row = 128; int i = 2; out->y = 0; out->w[i] = 7; }
