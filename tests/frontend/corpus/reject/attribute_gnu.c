// expect: rule=attribute line=3 column=1 stage=check
// signature: scalar
__attribute__((constructor)) static void h(void) { }
double scalar(double x, double y)
{
    return x;
}
