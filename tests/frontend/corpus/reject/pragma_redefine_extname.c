// expect: rule=pragma line=3 column=1 stage=read
// signature: scalar
#pragma redefine_extname scalar system
double scalar(double x, double y)
{
    return x;
}
