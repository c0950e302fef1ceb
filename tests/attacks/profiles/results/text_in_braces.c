// A text for an array of characters may stand in braces.
// signature: double k(double d)
// arguments: 1.0
// expect: value 220.0
double k(double d) { char v[4] = {"abc"}; struct { char s[4]; double q; } w = {{"xy"}, d}; return v[1] + w.s[1] + w.q; }
