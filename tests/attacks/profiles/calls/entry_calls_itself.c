// The entry calls itself with a number and gives what Fibonacci's recursion gives.
// signature: double k(int64_t i)
// arguments: 20
// expect: value 6765.0
double k(int64_t i){ return i < 2 ? i : k(i - 1) + k(i - 2); }
