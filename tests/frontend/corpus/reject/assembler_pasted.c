// expect: rule=assembler line=6 column=5 stage=check
// signature: scalar
#define P(a, b) a##b
double scalar(double x, double y)
{
    P(a, sm)("nop");
    return x;
}
