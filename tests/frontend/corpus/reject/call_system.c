// expect: rule=call line=5 column=5 stage=check
// signature: scalar
double scalar(double x, double y)
{
    system("id");
    return x;
}
