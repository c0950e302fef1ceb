// Texts fill arrays of characters, and the values behind them go on.
// signature: double k(double x)
// arguments: 2.75
// expect: value 228.25
double k(double x) { struct { char t[4]; double d; char u[2][3]; double e; } q = {"xy", x, {"ab", "cd"}, 2 * x}; return q.t[1] + q.d + q.u[1][0] + q.e; }
