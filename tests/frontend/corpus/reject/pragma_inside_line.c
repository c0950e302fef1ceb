// expect: rule=pragma|directive line=5
// signature: scalar
double scalar(double x, double y)
{
    x += y; #pragma clang module build evil
    return x;
}
