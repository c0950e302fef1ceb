// expect: rule=reserved line=3 column=8 stage=check
// signature: scalar
enum { _Zero };
double scalar(double x, double y)
{
    return x;
}
