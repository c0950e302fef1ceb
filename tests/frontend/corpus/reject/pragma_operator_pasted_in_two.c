// expect: rule=pragma line=4 column=1 stage=check
// signature: scalar
#define C(a, b) a##b
C(_Pra, gma)("once")
double scalar(double x, double y)
{
    return x;
}
