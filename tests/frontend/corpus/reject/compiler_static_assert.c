// expect: rule=compiler line=5 column=20 stage=lower
// signature: scalar
double scalar(double x, double y)
{
    _Static_assert(sizeof(int) == 8, "int");
    return x;
}
