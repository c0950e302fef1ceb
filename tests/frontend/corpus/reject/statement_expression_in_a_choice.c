// expect: rule=statement-expression line=5 column=22 stage=check
// signature: scalar
double scalar(double x, double y)
{
    return x == y ? ({ double z = 4; z; }) : 5;
}
