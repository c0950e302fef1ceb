// expect: rule=pragma line=3 column=1 stage=read
// signature: scalar
#pragma push_macro("x")
double scalar(double x, double y)
{
    return x;
}
