// A text is for the first array of characters further in.
// signature: double k(double d)
// arguments: 1.0
// expect: value 223.0
struct V { char s[4]; };
struct W { struct V s; double y; };
double k(double d) { struct { char s[2][4]; double q; } v = {"ab", "cd", d}; struct W w = {"xy", d}; return v.s[1][1] + v.q + w.s.s[1] + w.y; }
