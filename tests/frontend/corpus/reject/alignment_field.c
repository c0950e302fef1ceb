// expect: rule=alignment line=3 column=32 stage=check
// signature: scalar
struct S { _Alignas(64) double z; };
double scalar(double x, double y)
{
    struct S s = {x};
    return s.z;
}
