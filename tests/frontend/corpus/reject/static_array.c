// expect: rule=mutable-static line=3 column=15 stage=check
// signature: scalar
static double buffer[16];
double scalar(double x, double y)
{
    return buffer[0]++;
}
