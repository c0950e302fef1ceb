// field's array read
// kernel: centre
// expect: status=PANICKED rule=index line=1
void centre(int64_t n, const struct Point p[n], struct Point *out) { volatile int row = 126; out->w[0] = p[0].w[n]; }
