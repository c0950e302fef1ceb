// signature: scalar
// call: (0.0, 0.0) -> 261.5
double scalar(double x, double y)
{
    double h = 0x1.8p1 + 0X.4P+2 + 1e-2 * 100 + .5 + 2. + 0x10p0f;
    long i = 0x1fL + 017 + 10u + 5ull + 'a' + '\n' + '\x41' + 0b101;
    return h + i;
}
