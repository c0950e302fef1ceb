// signature: scalar
// call: (5.0, 1.0) -> 5.0
// call: (5.0, -1.0) -> -5.0
double scalar(double x, double y)
{
    int n = 0;
again:
    n++;
    if (n < (int)x) goto again;
    if (y > 0) goto out;
    n = -n;
out:
    return n;
}
