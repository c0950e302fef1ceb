// expect: rule=assembler line=3 column=27 stage=check
// signature: scalar
static double h(double x) __asm__("system");
double scalar(double x, double y)
{
    return x;
}
