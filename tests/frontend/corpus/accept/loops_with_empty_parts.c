// signature: scalar
// call: (0.0, 0.0) -> 30.0
double scalar(double x, double y)
{
    int n = 0;
    for (;;) { if (++n > 5) break; }
    for (int i = 0, j = 10; i < j; i++, j--) n += j - i;
    for (n--; n > 40;) n -= 7;
    while (n > 30) n--;
    for (; n < 3; n++) ;
    return n;
}
