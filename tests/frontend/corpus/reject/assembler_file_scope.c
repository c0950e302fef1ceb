// expect: rule=assembler line=3 column=1 stage=check
// signature: scalar
__asm(".globl x");
double scalar(double x, double y)
{
    return x;
}
