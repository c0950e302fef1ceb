// markdown
// kernel: dot
// expect: status=UNPARSED rule=syntax line=1
```c
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 0; return 0; }
```
