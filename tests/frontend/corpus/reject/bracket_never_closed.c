// expect: rule=bracket line=5 column=12 stage=read
// signature: scalar
double scalar(double x, double y)
{
    return (x + y;
