// The string's elements are wide characters and not bytes.
// signature: double k(int64_t i)
// arguments: 0
// expect: refused untraceable | refused compiler
double k(int64_t i) { const int *w = L"abc"; return w[0]; }
