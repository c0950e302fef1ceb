// expect: rule=pragma line=4 column=1 stage=check
// signature: scalar
#define P(a) _Pra##gma(a)
P("clang module build evil")
double scalar(double x, double y)
{
    return x;
}
