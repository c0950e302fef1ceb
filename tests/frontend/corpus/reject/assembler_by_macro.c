// expect: rule=assembler line=3 column=14 stage=check
// signature: scalar
#define STOP asm
double scalar(double x, double y)
{
    STOP("nop");
    return x;
}
