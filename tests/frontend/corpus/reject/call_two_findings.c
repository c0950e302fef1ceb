// expect: rule=call line=6 column=5 stage=check
// expect: rule=call line=7 column=12 stage=check
// signature: scalar
double scalar(double x, double y)
{
    puts("a");
    return rand();
}
