// The length inside of sizeof divides by zero in the first round.
// signature: double k(int64_t i)
// arguments: 0
// expect: contained
double k(int64_t i){ int64_t s = 0; for (int64_t q = 0; q < 5; q++) s += sizeof(char[100 / (i + q)]); return s; }
