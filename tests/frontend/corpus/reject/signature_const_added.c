// expect: rule=signature line=3 column=35 stage=check
// signature: fill
void fill(int64_t n, const double out[n], double value) { }
