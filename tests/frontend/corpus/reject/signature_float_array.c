// expect: rule=signature line=3 column=35 stage=check
// signature: dot
double dot(int64_t n, const float x[n], const double y[n]) { return y[0]; }
