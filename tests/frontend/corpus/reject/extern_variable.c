// expect: rule=extern line=3 column=12 stage=check
// signature: scalar
extern int errno_location;
double scalar(double x, double y)
{
    return errno_location;
}
