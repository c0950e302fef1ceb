// The block's array lives for one round only, so a hundred thousand of them take no more stack than one.
// signature: double k(int64_t i)
// arguments: 100000
// expect: value 4999950000.0
double k(int64_t i){ double s = 0; for (int64_t j = 0; j < i; j++) { double t[j % 8 + 1]; t[0] = j; s += t[0]; } return s; }
