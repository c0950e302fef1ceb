// expect: rule=call line=3 column=43 stage=check
// signature: dot
double dot(int64_t n, const double x[(int)rand()], const double y[n]) { return x[0]; }
