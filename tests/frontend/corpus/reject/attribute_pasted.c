// expect: rule=attribute line=4 column=1 stage=check
// signature: scalar
#define P(a, b) a##b
P(__attri, bute__)((constructor)) static void h(void) { }
double scalar(double x, double y)
{
    return x;
}
