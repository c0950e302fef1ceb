// signature: scalar
// call: (3.0, 0.0) -> 3.0
// call: (1.0, 0.0) -> 3.0
// call: (4.0, 0.0) -> 10.0
double scalar(double x, double y)
{
    int n = 0;
    do n++; while (n < (int)x);
    do { if (n == 3) continue; if (n > 100) break; n += 2; } while (n < 10 && n != 3);
    return n;
}
