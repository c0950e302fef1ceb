// expect: rule=call line=6 column=5 stage=check
// signature: scalar
#define LOG(m) puts(m)
double scalar(double x, double y)
{
    LOG("x");
    return x;
}
