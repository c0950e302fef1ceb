// expect: rule=function-pointer line=6 column=40 stage=check
// signature: scalar
struct S { int a[9]; };
double scalar(double x, double y)
{
    return offsetof(struct S, a[(long)&abs]);
}
