// expect: rule=extern line=3 column=12 stage=check
// signature: scalar
extern int getpid(void);
double scalar(double x, double y)
{
    return x;
}
