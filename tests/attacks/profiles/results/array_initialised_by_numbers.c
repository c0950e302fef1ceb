// Numbers in brackets choose elements, and the next values go on behind them.
// signature: double k(double x)
// arguments: 2.75
// expect: value 882.75
double k(double x) { double a[2][3] = {[1] = {[2] = x}, [0][1] = x * 2, x * 3}; return a[1][2] + 10 * a[0][1] + 100 * a[0][2]; }
