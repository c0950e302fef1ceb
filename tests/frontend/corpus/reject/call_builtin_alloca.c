// expect: rule=call line=5 column=17 stage=check
// signature: scalar
double scalar(double x, double y)
{
    double *p = __builtin_alloca(8);
    return *p;
}
