// expect: rule=call line=5 column=19 stage=check
// signature: scalar
double scalar(double x, double y)
{
    return sizeof(getpid());
}
