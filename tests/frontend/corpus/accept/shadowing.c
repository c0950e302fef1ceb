// signature: scalar
// call: (1.0, 2.0) -> 8.0
double scalar(double x, double y)
{
    double a = x;
    { double a = y; { int a = 3; x += a; } x += a; }
    for (int a = 0; a < 2; a++) x += a;
    return x + a;
}
