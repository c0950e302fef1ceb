// not sorted
// kernel: sort
// expect: status=WRONG rule=wrong line=0
void sort(int64_t n, double x[n]) { volatile int row = 277;  }
