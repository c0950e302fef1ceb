// expect: rule=attribute line=3 column=27 stage=check
// signature: scalar
static double h(double x) __attribute((section(".init")));
double scalar(double x, double y)
{
    return x;
}
