// expect: rule=call line=6 column=33 stage=check
// signature: scalar
struct S { int a[9]; };
double scalar(double x, double y)
{
    return offsetof(struct S, a[getpid()]);
}
