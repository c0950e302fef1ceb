// expect: rule=call line=5 column=27 stage=check
// signature: scalar
double scalar(double x, double y)
{
    _Static_assert(sizeof(getpid()) == 4, "int");
    return x;
}
