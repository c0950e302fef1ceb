// record half written
// kernel: centre
// expect: status=WRONG rule=wrong line=0
void centre(int64_t n, const struct Point p[n], struct Point *out) { volatile int row = 280; out->x = 0; }
