// expect: rule=alignment line=3 column=54 stage=check
// signature: scalar
static _Alignas(sizeof(struct { int a; })) const int t = 3;
double scalar(double x, double y)
{
    return t;
}
