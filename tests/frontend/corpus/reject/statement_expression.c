// expect: rule=statement-expression line=5 column=13 stage=check
// signature: scalar
double scalar(double x, double y)
{
    return ({ double z = x; z; });
}
