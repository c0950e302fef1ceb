// expect: rule=extern line=5 column=9 stage=check
// signature: scalar
double scalar(double x, double y)
{
    int getpid(void);
    return x;
}
