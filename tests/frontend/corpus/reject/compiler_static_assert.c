// expect: rule=compiler line=3 column=18 stage=lower in=canonical
// signature: scalar
double scalar(double x, double y)
{
    _Static_assert(sizeof(int) == 8, "int");
    return x;
}
