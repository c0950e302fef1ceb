// signature: scalar
// call: (2.0, 3.0) -> 9.0
double scalar(double x, double y)
{
    double exp = 1.0;
    double sin = x, cos = y;
    int abs = 2;
    return exp + sin * cos + abs;
}
