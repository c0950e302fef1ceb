// other type
// kernel: dot
// expect: status=REJECTED rule=signature line=1
float dot(int64_t n, const float x[n], const float y[n]) { return 0; }
