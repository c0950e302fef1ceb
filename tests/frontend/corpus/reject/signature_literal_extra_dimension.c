// expect: rule=signature line=3 column=37 stage=check
// signature: rows
double rows(int64_t n, const double a[n][10][1]) { return a[0][0]; }
