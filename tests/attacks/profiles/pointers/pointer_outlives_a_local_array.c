// The pointer leads to an array of a round that is over.
// signature: double k(int64_t i)
// arguments: 9
// expect: refused untraceable
double k(int64_t i){ double s = 0; double *p; for (int64_t j = 1; j < i; j++) { double tt[j]; tt[0] = j; if (j == 1) p = tt; s += *p; } return s; }
