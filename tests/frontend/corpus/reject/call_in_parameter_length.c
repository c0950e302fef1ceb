// expect: rule=call line=4 column=43 stage=check
// expect: rule=length line=4 column=38 stage=check
// signature: dot
double dot(int64_t n, const double x[(int)rand()], const double y[n]) { return x[0]; }
