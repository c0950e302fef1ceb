// expect: rule=signature line=4 column=29 stage=check
// expect: rule=signature line=4 column=43 stage=check
// signature: fill
void fill(int64_t n, double value, double out[n]) { }
